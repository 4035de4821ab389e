"""Words from which the seed makes a plausible Brazilian shop's customers, deals and notes."""

FIRST_NAMES = (
    "Adriana", "Alice", "Aline", "Amanda", "Ana", "André", "Antônio", "Arthur", "Beatriz", "Bernardo", "Bianca",
    "Bruno", "Caio", "Camila", "Carla", "Carlos", "Cecília", "Célia", "César", "Cláudia", "Cristiane", "Daniel",
    "Daniela", "Davi", "Débora", "Diego", "Edson", "Eduardo", "Elaine", "Elisa", "Enzo", "Érica", "Fabiana", "Fábio",
    "Fátima", "Felipe", "Fernanda", "Fernando", "Flávia", "Francisco", "Gabriel", "Gabriela", "Geraldo", "Giovana",
    "Guilherme", "Gustavo", "Heitor", "Helena", "Henrique", "Igor", "Inês", "Isabela", "Ivone", "Jéssica", "João",
    "Joana", "Jorge", "José", "Júlia", "Juliana", "Karina", "Larissa", "Laura", "Leandro", "Letícia", "Lorena",
    "Lucas", "Lúcia", "Luís", "Luiza", "Manuela", "Marcela", "Marcelo", "Márcia", "Marcos", "Maria", "Mariana",
    "Marina", "Mateus", "Maurício", "Miguel", "Mônica", "Natália", "Nicolas", "Otávio", "Patrícia", "Paula", "Paulo",
    "Pedro", "Priscila", "Rafael", "Rafaela", "Raquel", "Regina", "Renata", "Ricardo", "Roberto", "Rodrigo", "Rosana",
    "Sabrina", "Samuel", "Sandra", "Sérgio", "Silvana", "Simone", "Sofia", "Sônia", "Tânia", "Tatiane", "Thiago",
    "Valéria", "Vanessa", "Vera", "Vicente", "Vinícius", "Vitória", "Viviane", "Wagner", "Yasmin",
)  # fmt: skip
SURNAMES = (
    "Albuquerque", "Almeida", "Alves", "Andrade", "Aragão", "Araújo", "Assis", "Azevedo", "Barbosa", "Barros",
    "Batista", "Bezerra", "Borges", "Braga", "Brito", "Camargo", "Campos", "Cardoso", "Carvalho", "Castro",
    "Cavalcanti", "Coelho", "Correia", "Costa", "Cunha", "Dias", "Duarte", "Farias", "Fernandes", "Ferreira",
    "Figueiredo",
    "Fonseca", "Franco", "Freitas", "Garcia", "Gomes", "Gonçalves", "Guimarães", "Leite", "Lemos", "Lima", "Lopes",
    "Macedo",
    "Machado", "Magalhães", "Marques", "Martins", "Matos", "Melo", "Mendes", "Menezes", "Miranda", "Monteiro", "Moraes",
    "Moreira", "Moura", "Muniz", "Nascimento", "Neves", "Nogueira", "Novaes", "Nunes", "Oliveira", "Pacheco", "Paiva",
    "Peixoto", "Pereira", "Pinheiro", "Pinto", "Pires", "Prado", "Queiroz", "Ramos", "Rezende", "Ribeiro", "Rocha",
    "Rodrigues", "Sá", "Sales", "Sampaio", "Santana", "Santos", "Siqueira", "Silva", "Silveira", "Simões", "Soares",
    "Sousa", "Souza", "Tavares", "Teixeira", "Teles", "Torres", "Vargas", "Vasconcelos", "Vaz", "Viana", "Vieira",
)  # fmt: skip
PARTICLES = ("da", "de", "do", "dos", "e")
SHOPS = (
    "Café", "Mercado", "Empório", "Restaurante", "Hotel", "Escola", "Clínica", "Buffet", "Lanchonete", "Cantina",
    "Armazém", "Condomínio", "Academia", "Pousada", "Colégio", "Livraria", "Floricultura", "Papelaria", "Farmácia",
)  # fmt: skip
SHOP_NAMES = (
    "Aurora", "Bela Vista", "Boa Esperança", "Canto Verde", "Central", "Cruzeiro", "do Vale", "Dona Flor", "Esmeralda",
    "Girassol", "Horizonte", "Ipê Amarelo", "Jacarandá", "Lua Nova", "Maracanã", "Nova Era", "Oásis", "Paraíso",
    "Pérola", "Ponto Certo", "Primavera", "Recanto", "Rio Claro", "Santa Clara", "São Bento", "Serra Azul",
    "Sol Nascente", "Três Irmãos", "União", "Vila Rica",
)  # fmt: skip
ENDINGS = ("Ltda.", "ME", "EPP", "S.A.", "& Filhos", "")
CITIES = (
    ("São Paulo", "SP", "11"), ("Campinas", "SP", "19"), ("Santos", "SP", "13"), ("Rio de Janeiro", "RJ", "21"),
    ("Niterói", "RJ", "21"), ("Belo Horizonte", "MG", "31"), ("Uberlândia", "MG", "34"), ("Curitiba", "PR", "41"),
    ("Florianópolis", "SC", "48"), ("Porto Alegre", "RS", "51"), ("Salvador", "BA", "71"), ("Recife", "PE", "81"),
    ("Fortaleza", "CE", "85"), ("Brasília", "DF", "61"), ("Goiânia", "GO", "62"), ("Belém", "PA", "91"),
)  # fmt: skip
STREETS = (
    "Rua das Acácias", "Rua Sete de Setembro", "Av. Brasil", "Rua XV de Novembro", "Av. Paulista", "Rua dos Ipês",
    "Travessa São João", "Rua Tiradentes", "Av. Getúlio Vargas", "Rua do Comércio", "Alameda Santos", "Rua da Praia",
)  # fmt: skip
MAIL_HOSTS = ("correio.example", "mail.example.com", "empresa.example.net", "exemplo.example.org")
TAGS = (
    "vip", "atacado", "varejo", "indicação", "aniversariante", "inadimplente", "recorrente", "evento", "vegano",
    "sem glúten", "retirada na loja", "entrega", "newsletter", "corporativo", "Natal",
)  # fmt: skip
ORIGINS = ("Instagram", "Google", "Indicação", "WhatsApp", "Loja", "Site", "Facebook", "Feira")
JOBS = ("Proprietária", "Compras", "Gerente", "Financeiro", "Recepção", "Diretora", "Síndico", "Professora")
ORDERS = (
    "Bolo de casamento", "Kit festa 50 pessoas", "Coffee break", "Cesta de café da manhã", "Pães para o mês",
    "Bolo de aniversário", "Doces finos", "Salgados congelados", "Torta para 20", "Panetones corporativos",
    "Ovos de Páscoa", "Mesa de frios", "Brunch", "Lanche escolar", "Encomenda de Natal", "Cardápio vegano",
    "Assinatura de pães", "Bem-casados", "Festa junina", "Revenda",
)  # fmt: skip
NOTES = (
    "Ligou perguntando o prazo de entrega.", "Prefere falar pelo WhatsApp depois das 18h.",
    "Pediu desconto para 100 unidades.", "Cliente antiga, tratar com carinho.", "Alergia a amendoim.",
    "Mandei o orçamento por e-mail.", "Vai confirmar a data com a família.", "Reclamou do atraso, pedir desculpas.",
    "Quer degustação no sábado.", "Pagamento por Pix confirmado.",
)  # fmt: skip
TASKS = (
    "Retornar ligação", "Enviar orçamento", "Confirmar entrega", "Cobrar sinal", "Agendar degustação",
    "Pedir avaliação", "Emitir nota fiscal", "Mandar foto do bolo",
)  # fmt: skip
LOSS_REASONS = ("Preço alto", "Comprou do concorrente", "Sem resposta", "Prazo curto", "Desistiu do evento")

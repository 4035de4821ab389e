"""What tells that a text speaks of one person: their whole name, phones, e-mails and documents."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func

from kommo.crm.bare import texts
from kommo.crm.records import Contact
from kommo.crm.values import objects, text
from kommo.store.tables import Wallet
from kommo.text import digits, fold

PHONE = 8  # last digits of a phone that count: the code of the country or of the area may be left out
_DOCUMENT = re.compile(r"\b(cpf|cnpj|rg|documento|passaporte|cnh)\b")
_RUN = re.compile(r"[0-9][0-9 ()./+-]{5,}[0-9]")
_SIGNS = (" ", "-", "(", ")", ".", "/", "+")
_OF_A_NUMBER = (11, 14)  # digits of a CPF, of a CNPJ


@dataclass(frozen=True, slots=True)
class Traits:
    """A person's values: folded names of two words or more, last digits of phones, folded e-mails, documents."""

    names: frozenset[str]
    phones: frozenset[str]
    emails: frozenset[str]
    documents: frozenset[str]

    def __bool__(self) -> bool:
        return any((self.names, self.phones, self.emails, self.documents))

    def are_in(self, found: Iterable[str]) -> bool:
        """Whether any of these texts holds one of them."""
        return any(self._is_in(each) for each in found)

    def likely(self) -> list[ColumnElement[bool]]:
        """Conditions on `Wallet` of which a record that holds one of them meets one; more than those may."""
        record = cast(Wallet.record, Text)
        plain: ColumnElement[str] = record
        for sign in _SIGNS:
            plain = func.replace(plain, sign, "")
        found = [Wallet.search_text.contains(name, autoescape=True) for name in sorted(self.names)]
        found += [record.icontains(word, autoescape=True) for word in sorted(self.names | self.emails)]
        return found + [plain.icontains(each, autoescape=True) for each in sorted(self.phones | self.documents)]

    def _is_in(self, one: str) -> bool:
        folded = fold(one)
        if any(f" {name} " in f" {_words(folded)} " for name in self.names):
            return True
        if any(email in folded for email in self.emails):
            return True
        numbers = [digits(run) for run in _RUN.findall(one)]
        if any(number.endswith(phone) for number in numbers for phone in self.phones):
            return True
        plain = _plain(one)
        return any(document in plain for document in self.documents)


def traits_of(contact: Contact) -> Traits:
    """The values by which this contact is known."""
    names = {_words(fold(name)) for name in (contact.name, f"{contact.first_name} {contact.last_name}")}
    phones = {digits(phone)[-PHONE:] for phone in contact.phones}
    return Traits(
        names=frozenset(name for name in names if len(name.split()) > 1),
        phones=frozenset(phone for phone in phones if len(phone) == PHONE),
        emails=frozenset(email for each in contact.emails if "@" in (email := fold(each))),
        documents=frozenset(documents_of(contact)),
    )


def documents_of(contact: Contact) -> set[str]:
    """The person's documents as capital letters and digits: of fields that say so, and what looks like CPF or CNPJ."""
    found = set()
    for field in objects(contact.raw.get("custom_fields_values")):
        if field.get("field_code") in ("PHONE", "EMAIL"):
            continue
        says_so = bool(_DOCUMENT.search(fold(text(field.get("field_name")))))
        for value in texts([_value(each) for each in objects(field.get("values"))]):
            plain = _plain(value)
            if len(plain) >= 5 and (says_so or (plain.isdigit() and len(plain) in _OF_A_NUMBER)):
                found.add(plain)
    return found


def _value(element: dict[str, Any]) -> Any:
    return element.get("value")


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def _words(folded: str) -> str:
    return " ".join(re.findall(r"\w+", folded))

"""The one door to Kommo: tokens, hosts, requests, records. Nothing else knows Kommo's wire format."""

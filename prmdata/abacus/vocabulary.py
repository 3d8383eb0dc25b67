"""Who and what the stories are about."""

from __future__ import annotations

WOMEN = (
    "Ada", "Bea", "Cleo", "Dina", "Edith", "Flora", "Greta", "Hanna",
    "Ines", "Judy", "Karla", "Lena", "Maya", "Nina", "Olga", "Petra",
)  # fmt: skip
MEN = (
    "Adam", "Boris", "Carl", "Dan", "Emil", "Felix", "Gus", "Hans",
    "Igor", "Jonas", "Karl", "Liam", "Milo", "Noel", "Oscar", "Pablo",
)  # fmt: skip
NAMES = (*WOMEN, *MEN)
GOODS = (
    ("apples", "crates", "crate"), ("buttons", "boxes", "box"), ("candles", "packs", "pack"),
    ("coins", "pouches", "pouch"), ("cookies", "tins", "tin"), ("eggs", "cartons", "carton"),
    ("lemons", "baskets", "basket"), ("magnets", "packs", "pack"), ("marbles", "pouches", "pouch"),
    ("nails", "boxes", "box"), ("olives", "jars", "jar"), ("pencils", "cases", "case"),
    ("photos", "albums", "album"), ("plums", "baskets", "basket"), ("seeds", "packets", "packet"),
    ("stamps", "albums", "album"), ("tickets", "rolls", "roll"), ("tulips", "bunches", "bunch"),
)  # fmt: skip
"""What is counted, and what it comes in: many and one."""
SHARES = {2: "half", 3: "one third", 4: "one fourth", 5: "one fifth"}
RANGES = {
    "start": ((12, 90), (40, 250), (100, 480)),
    "change": ((4, 60), (15, 99), (30, 240)),
    "count": ((2, 9), (2, 9), (3, 12), (10, 19)),
    "pack": ((4, 12), (6, 24), (11, 39)),
    "price": ((2, 9), (3, 12)),
}
"""How big numbers are: small and large ones of each kind, so that slips come at any step."""

"""Names, things and words that questions are made of."""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    "Amara", "Anton", "Aylin", "Bela", "Bruno", "Carla", "Cem", "Chloe", "Dario", "Dina", "Elif", "Emil", "Farah",
    "Felix", "Greta", "Hana", "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Kofi", "Lena", "Leo", "Linh", "Luca", "Maja",
    "Malik", "Mei", "Milo", "Nadia", "Nils", "Noor", "Olga", "Omar", "Pia", "Rafael", "Ravi", "Rosa", "Samir", "Sofia",
    "Tara", "Theo", "Uma", "Vera", "Viktor", "Yara", "Yusuf", "Zoe",
)  # fmt: skip
THINGS: Final = (
    "stamps", "marbles", "stickers", "postcards", "buttons", "shells", "coins", "beads", "pencils", "cards", "apples",
    "plums", "walnuts", "candles", "badges", "tiles", "balloons", "lemons", "bolts", "seeds",
)  # fmt: skip
GOODS: Final = (
    "notebook", "lamp", "mug", "blanket", "puzzle", "cushion", "lantern", "basket", "mirror", "kettle", "vase", "clock",
    "towel", "ruler", "bowl", "belt", "hammer", "kite", "map", "drum",
)  # fmt: skip
WORDS: Final = (
    (
        "banana", "cherry", "pepper", "button", "letter", "kitten", "rabbit", "summer", "winter", "yellow", "carrot",
        "coffee", "bottle", "ladder", "hammer", "pillow", "window", "garden", "orange", "silver",
    ),
    (
        "balloon", "pumpkin", "blanket", "chimney", "dolphin", "feather", "giraffe", "holiday", "journey", "kitchen",
        "library", "machine", "penguin", "rainbow", "sparrow", "thunder", "village", "whisper", "lantern", "caramel",
    ),
    (
        "strawberry", "blueberry", "raspberry", "butterfly", "crocodile", "asparagus", "chocolate", "dandelion",
        "evergreen", "furniture", "hurricane", "jellyfish", "lighthouse", "marmalade", "orchestra", "parliament",
        "telescope", "vegetable", "waterfall", "xylophone",
    ),
    (
        "bookkeeper", "cappuccino", "committee", "embarrass", "grasshopper", "millennium", "possession", "accommodate",
        "balloonist", "caterpillar", "Mississippi", "questionnaire", "successfully", "tablespoonful", "whippersnapper",
        "assessment", "cottonwood", "woodpecker", "sleeplessness", "unnecessarily",
    ),
    (
        "accessibility", "characteristic", "extraterrestrial", "incomprehensible", "indistinguishable", "onomatopoeia",
        "refrigerator", "responsibilities", "uncharacteristically", "misunderstanding", "procrastination",
        "electromagnetic", "disproportionately", "counterrevolutionary", "antidisestablishment", "psychotherapeutic",
        "transcontinental", "unconstitutional", "autobiographical", "thermodynamically",
    ),
)  # fmt: skip
"""Words by their level: the higher, the longer and the more repeated letters."""
NONSENSE: Final = (
    "bloops", "wibbles", "zarks", "mernits", "tolvins", "grumps", "fendles", "quips", "drabs", "snoffs", "plinks",
    "vantels", "yorbs", "krells", "lumbits", "jaffins", "nibbets", "hobbins", "trosks", "umbles",
)  # fmt: skip

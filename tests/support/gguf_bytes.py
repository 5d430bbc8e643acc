"""Makes the beginning of a GGUF, byte for byte: every version, either byte order, every type of value."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

TOKENS = "tokenizer.ggml.tokens"
TYPES = "tokenizer.ggml.token_type"
SHARDS = "split.count"
CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
WHOLE = (0, 1, 2, 3, 4, 5, 10, 11)
TEXT, ARRAY = 8, 9
VOCABULARY = ("<s>", "<thinking>", "你好", "</thinking>", "")
CONTROL_TYPES = (3, 3, 1, 3, 6)
TENSORS = bytes(range(256)) * 3

Value = tuple[int, bytes]


@dataclass(frozen=True)
class Making:
    """A version of the format in a byte order."""

    version: int = 3
    order: str = "<"

    def count(self, number: int) -> bytes:
        return struct.pack(self.order + ("I" if self.version == 1 else "Q"), number)

    def text(self, value: str | bytes) -> bytes:
        data = value if isinstance(value, bytes) else value.encode()
        return self.count(len(data)) + data

    def number(self, code: str, value: float) -> bytes:
        return struct.pack(self.order + code, value)

    def array(self, kind: int, *elements: bytes) -> Value:
        return ARRAY, self.number("I", kind) + self.count(len(elements)) + b"".join(elements)

    def vocabulary(
        self, tokens: tuple[str, ...] = VOCABULARY, types: tuple[int, ...] = CONTROL_TYPES, kind: int = 5
    ) -> dict[str, Value]:
        return {
            TOKENS: self.array(TEXT, *map(self.text, tokens)),
            TYPES: self.array(kind, *(self.number(CODES[kind], one) for one in types)),
        }

    def everything(self) -> dict[str, Value]:
        """A value of every type, and arrays of every type, of arrays and of nothing."""
        numbers = {f"one.{kind}": (kind, self.number(code, 1)) for kind, code in CODES.items()}
        arrays = {f"two.{kind}": self.array(kind, *[self.number(code, 1)] * 2) for kind, code in CODES.items()}
        texts = {"a.text": (TEXT, self.text(TYPES)), "texts": self.array(TEXT, self.text("a"), self.text(""))}
        nest = self.array(ARRAY, self.array(TEXT, self.text(TOKENS))[1], self.array(0, b"\1")[1])
        return {**numbers, **arrays, **texts, "nest": nest, "nothing": self.array(12)}

    def file(self, values: dict[str, Value] | None = None, *, keys: int | None = None, rest: bytes = TENSORS) -> bytes:
        """A file whose header has these values; `keys` is the number of keys it claims."""
        values = {**self.everything(), **self.vocabulary()} if values is None else values
        pairs = b"".join(self.text(key) + self.number("I", kind) + value for key, (kind, value) in values.items())
        said = len(values) if keys is None else keys
        return b"GGUF" + self.number("I", self.version) + self.count(0) + self.count(said) + pairs + rest


@dataclass(frozen=True)
class Case:
    """A malformed file, and its error."""

    name: str
    content: bytes
    said: str
    making: Making = field(default_factory=Making)


def damaged() -> list[Case]:
    """Files that end too early, have wrong lengths, or lack required keys."""
    made = Making()
    good = made.file()
    many = b"\xff" * 7 + b"\0"
    deep = b"".join(made.number("I", ARRAY) + made.count(1) for _ in range(5000))
    return [
        Case("nothing", b"", "ends inside"),
        Case("another format", b"GGML" + good[4:], "not a GGUF file"),
        Case("version 0", made.file()[:4] + b"\0\0\0\0" + good[8:], "version 0 is not supported"),
        Case("version 4", Making(4).file(), "version 4 is not supported"),
        Case("only the magic", b"GGUF", "ends inside"),
        Case("a cut header", good[: len(good) // 3], "ends inside"),
        Case("more keys than any", made.file(keys=2**40), "damaged header: 1,099,511,627,776 keys"),
        Case("more keys than there are", made.file(keys=60000, rest=b""), "ends inside"),
        Case("a type that does not exist", made.file({"odd": (13, b"")}), "unknown value type 13"),
        Case("a text beyond the end", made.file({"text": (TEXT, many + b"x")}), "ends inside"),
        Case("a key beyond the end", made.file({}, keys=1, rest=many), "ends inside"),
        Case("numbers beyond the end", made.file({"a": (ARRAY, made.number("I", 10) + many)}), "ends inside"),
        Case(
            "texts beyond any number",
            made.file({"a": (ARRAY, made.number("I", TEXT) + many)}),
            "damaged header: an array",
        ),
        Case("arrays without end", made.file({"a": (ARRAY, deep)}), "arrays are nested too deeply"),
        Case("one key twice", twice(made), "duplicate key tokenizer.ggml.tokens"),
        Case("no vocabulary", made.file({"a": (4, b"\0" * 4)}), "no vocabulary"),
        Case("no types", made.file({TOKENS: made.vocabulary()[TOKENS]}), "no vocabulary"),
        Case("fewer types", made.file(made.vocabulary(types=(3, 3))), "a type for every token"),
        Case("types that are fractions", made.file(made.vocabulary(kind=6)), "a type for every token"),
        Case("a text for types", made.file(made.vocabulary() | {TYPES: (TEXT, made.text("3"))}), "a type for every"),
        Case("numbers for tokens", made.file(made.vocabulary() | {TOKENS: made.array(4)}), "a type for every"),
    ]


def twice(made: Making) -> bytes:
    """A file with two vocabularies."""
    values = made.vocabulary()
    pairs = b"".join(made.text(key) + made.number("I", kind) + value for key, (kind, value) in values.items())
    return made.file(values, keys=4, rest=pairs + TENSORS)

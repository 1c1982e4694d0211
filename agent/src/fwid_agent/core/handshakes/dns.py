"""DNS messages (RFC 1035): names that are asked for, and records of multicast DNS (RFC 6762)."""

from collections.abc import Iterator
from dataclasses import dataclass

from fwid_agent.core.handshakes.wire import CutShortError, Reader

TXT, PTR, SRV, A, AAAA = 16, 12, 33, 1, 28
_HEAD_BYTES = 12
_ANSWER = 0x8000
_MOST_QUESTIONS, _MOST_RECORDS = 32, 128
_MOST_LABELS, _MOST_JUMPS, _MOST_NAME = 128, 16, 255
Name = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an answer."""

    name: Name
    kind: int
    data: bytes
    target: Name = ()  # of PTR


@dataclass(frozen=True, slots=True)
class Message:
    """What stands in a message, as far as it is whole."""

    answer: bool
    questions: tuple[tuple[Name, int], ...]  # name and kind
    records: tuple[Record, ...]


def read_message(data: bytes) -> Message | None:
    """Read a message; what is cut off or broken ends it. None where there is not even a head."""
    if len(data) < _HEAD_BYTES:
        return None
    reader = Reader(data, 2)
    flags = reader.number(2)
    asked, *answered = (reader.number(2) for _ in range(4))
    questions: list[tuple[Name, int]] = []
    records: list[Record] = []
    try:
        for _ in range(min(asked, _MOST_QUESTIONS)):
            questions.append((_read_name(reader), reader.number(2)))
            reader.take(2)
        if asked <= _MOST_QUESTIONS:
            for record in _read_records(reader, min(sum(answered), _MOST_RECORDS)):
                records.append(record)  # one by one: those before a fault stay
    except CutShortError:
        pass
    return Message(bool(flags & _ANSWER), tuple(questions), tuple(records))


def read_strings(data: bytes) -> Iterator[bytes]:
    """Yield the strings of a TXT record, as far as they are whole."""
    reader = Reader(data)
    try:
        while reader.left:
            yield reader.block(1).data
    except CutShortError:
        return


def _read_records(reader: Reader, count: int) -> Iterator[Record]:
    for _ in range(count):
        name, kind = _read_name(reader), reader.number(2)
        reader.take(6)  # class and lifetime
        length = reader.number(2)
        begin = reader.at
        data = reader.take(length)
        # A name may point back into the message, so it is read where it stands.
        target = _read_name(Reader(reader.data, begin)) if kind == PTR else ()
        yield Record(name, kind, data, target)


def _read_name(reader: Reader) -> Name:
    """Read labels up to the root; pointers (section 4.1.4) only ever lead back."""
    labels: list[bytes] = []
    source, length = reader, 0
    before, jumps = reader.at, 0
    while True:
        head = source.number(1)
        if head == 0:
            return tuple(labels)
        if head >= 0xC0:
            target = (head & 0x3F) << 8 | source.number(1)
            jumps += 1
            if target >= before or jumps > _MOST_JUMPS:
                raise CutShortError("a pointer that does not lead back")
            before = target
            source = Reader(reader.data, target)
            continue
        if head >= 0x40:
            raise CutShortError("a label of an unknown kind")
        labels.append(source.take(head))
        length += head + 1
        if length > _MOST_NAME or len(labels) > _MOST_LABELS:
            raise CutShortError("a name that is too long")

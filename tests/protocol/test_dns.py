"""DNS messages, with dnspython as the other side."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError
from fairlead.model.dns import Answer, Code, Record, Soa, Srv, Type
from fairlead.protocol.dns import (
    LEAST_DATAGRAM,
    MOST_MESSAGE,
    DnsError,
    MessageReader,
    ask_also,
    decode_query,
    decode_reply,
    encode_answer,
    encode_query,
    framed,
    is_reply,
    refuse,
    shorten,
)
from tests.support.dnsmessages import NAME, ask, lines, read, reply_to

ADDRESS = Record(NAME, Type.A, 5, bytes((10, 0, 0, 1)))
SOA = Record("cluster.local", Type.SOA, 5, Soa("ns.dns.cluster.local", "hostmaster.cluster.local", 1, 2, 3, 4, 5))
LABELS = st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=8)
HEAD = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"


def test_a_query_is_read() -> None:
    query = decode_query(ask("NGINX.Default.svc.Cluster.local", "SRV"))
    assert (query.ident, query.name, query.type, query.cls) == (4711, NAME, Type.SRV, 1)
    assert (query.size, query.dnssec, query.datagram) == (None, False, 512)


@pytest.mark.parametrize(("size", "datagram"), [(100, 512), (1232, 1232), (65535, 65535)])
@pytest.mark.parametrize("dnssec", [False, True])
def test_a_query_says_what_its_asker_can_take(size: int, datagram: int, dnssec: bool) -> None:
    query = decode_query(ask(size=size, dnssec=dnssec, options=[dns.edns.CookieOption(b"12345678", b"")]))
    assert (query.size, query.dnssec, query.datagram) == (size, dnssec, datagram)


def test_the_root_can_be_asked_for() -> None:
    query = decode_query(ask(".", "NS"))
    assert query.name == ""
    assert lines(read(encode_answer(query, Answer(records=(Record("", Type.NS, 5, "a.root"),)), limit=512)).answer)


def test_an_answer_has_the_name_as_it_was_asked() -> None:
    query = decode_query(ask("NGINX.Default.svc.Cluster.local"))
    reply = encode_answer(query, Answer(records=(ADDRESS,)), limit=512)
    assert b"NGINX\x07Default" in reply
    assert len(reply) == len(ask()) + 16
    message = read(reply)
    assert message.question[0].name.labels[0] == b"NGINX"
    assert lines(message.answer) == ["NGINX.Default.svc.Cluster.local 5 A 10.0.0.1"]
    assert message.flags == dns.flags.QR | dns.flags.AA | dns.flags.RD | dns.flags.RA
    assert message.edns == -1
    assert is_reply(ask(), reply)


def test_the_flags_of_the_query_are_repeated() -> None:
    query = decode_query(ask(flags=dns.flags.CD | dns.flags.AD | dns.flags.RA))
    message = read(encode_answer(query, Answer(Code.NXDOMAIN, authority=(SOA,)), limit=512))
    assert message.flags & ~15 == dns.flags.QR | dns.flags.AA | dns.flags.RA | dns.flags.CD
    assert message.rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("dnssec", [False, True])
def test_edns_is_answered_with_edns(dnssec: bool) -> None:
    message = read(encode_answer(decode_query(ask(size=1232, dnssec=dnssec)), Answer(records=(ADDRESS,)), limit=512))
    assert (message.edns, message.payload, bool(message.ednsflags & dns.flags.DO)) == (0, 4096, dnssec)


def test_every_type_is_written() -> None:
    records = (
        Record(NAME, Type.CNAME, 5, "www.example.com"),
        Record("www.example.com", Type.A, 30, bytes((192, 0, 2, 1))),
        Record("www.example.com", Type.AAAA, 30, bytes(15) + b"\1"),
        Record("_http._tcp." + NAME, Type.SRV, 5, Srv(0, 50, 80, NAME)),
        Record("1.0.0.10.in-addr.arpa", Type.PTR, 5, NAME),
        Record("example.com", Type.TXT, 5, b"\x05hello"),
    )
    message = read(encode_answer(decode_query(ask()), Answer(records=records, authority=(SOA,)), limit=4096))
    assert lines(message.answer) == [
        f"{NAME} 5 CNAME www.example.com.",
        "www.example.com 30 A 192.0.2.1",
        "www.example.com 30 AAAA ::1",
        f"_http._tcp.{NAME} 5 SRV 0 50 80 {NAME}.",
        f"1.0.0.10.in-addr.arpa 5 PTR {NAME}.",
        'example.com 5 TXT "hello"',
    ]
    assert lines(message.authority) == ["cluster.local 5 SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5"]


def test_names_are_written_once() -> None:
    target = "very-long-name-of-a-site.example.com"
    alias = Record(NAME, Type.CNAME, 5, target)
    many = tuple(Record(target, Type.A, 5, bytes((192, 0, 2, n))) for n in range(10))
    reply = encode_answer(decode_query(ask()), Answer(records=(alias, *many)), limit=512)
    assert reply.count(b"example") == 1
    assert len(read(reply).answer[1]) == 10


@pytest.mark.parametrize("size", [None, 512, 600])
def test_what_does_not_fit_is_left_out_whole(size: int | None) -> None:
    query = decode_query(ask(size=size))
    records = tuple(Record(NAME, Type.A, 5, bytes((10, 0, 1, n))) for n in range(100))
    reply = encode_answer(query, Answer(records=records, authority=(SOA,), additional=(ADDRESS,)), limit=query.datagram)
    assert query.datagram - 16 < len(reply) <= query.datagram
    message = read(reply)
    assert message.flags & dns.flags.TC
    assert 20 < len(message.answer[0]) < 40
    assert not message.authority
    assert not message.additional
    assert (message.edns >= 0) == (size is not None)


def test_additional_records_may_be_missing() -> None:
    records = tuple(Record(f"x{n}.a", Type.A, 5, bytes((10, 0, 1, n))) for n in range(100))
    reply = encode_answer(decode_query(ask()), Answer(records=(ADDRESS,), additional=records), limit=LEAST_DATAGRAM)
    assert not read(reply).flags & dns.flags.TC
    assert 10 < len(read(reply).additional) < 100


def test_an_authority_that_does_not_fit_is_told() -> None:
    long = ".".join(["x" * 60] * 4)
    soa = SOA._replace(name=long, data=Soa("y" + long, "z" + long, 1, 2, 3, 4, 5))
    message = read(encode_answer(decode_query(ask(long)), Answer(authority=(soa, soa._replace(name=NAME))), limit=330))
    assert message.flags & dns.flags.TC


def test_names_beyond_the_reach_of_pointers_are_still_right() -> None:
    records = tuple(Record(f"host-{n:04}.a.test", Type.CNAME, 5, f"alias-{n % 990:04}.b.test") for n in range(1000))
    reply = encode_answer(decode_query(ask()), Answer(records=records), limit=MOST_MESSAGE)
    assert len(reply) > 0x4000
    assert lines(read(reply).answer) == [f"{record.name} 5 CNAME {record.data!s}." for record in records]


@given(LABELS, LABELS)
def test_any_name_comes_back_as_it_was(first: list[bytes], second: list[bytes]) -> None:
    if max(sum(len(label) + 1 for label in labels) for labels in (first, second)) > 254:
        return
    asked, other = dns.name.Name([*first, b""]), dns.name.Name([*second, b""])
    data = dns.message.make_query(asked, "A", id=1).to_wire()
    query = decode_query(data)
    also = ask_also(query, decode_query(dns.message.make_query(other, "A").to_wire()).name)
    assert read(encode_query(also)).question[0].name == other
    records = (Record(query.name, Type.CNAME, 5, also.name), Record(also.name, Type.A, 5, bytes(4)))
    reply = encode_answer(query, Answer(records=records), limit=4096)
    assert read(reply).answer[1].name == other
    assert read(reply).question[0].name.labels == asked.labels
    again = [ask_also(query, record.name).name for record in decode_reply(reply).records]
    assert again == [query.name, also.name]


@pytest.mark.parametrize(
    ("data", "what", "code"),
    [
        (b"", "header", Code.FORMERR),
        (HEAD[:11], "header", Code.FORMERR),
        (b"\x12\x34\x81" + HEAD[3:] + b"\1a\0\0\1\0\1", "an answer", Code.FORMERR),
        (b"\x12\x34\x21" + HEAD[3:] + b"\1a\0\0\1\0\1", "operation", Code.NOTIMP),
        (HEAD[:5] + b"\0" + HEAD[6:] + b"\1a\0\0\1\0\1", "0 questions", Code.FORMERR),
        (HEAD[:5] + b"\2" + HEAD[6:] + b"\1a\0\0\1\0\1" * 2, "2 questions", Code.FORMERR),
        (HEAD, "cut off", Code.FORMERR),
        (HEAD + b"\1a", "cut off", Code.FORMERR),
        (HEAD + b"\3ab", "cut off", Code.FORMERR),
        (HEAD + b"\1a\0\0\1\0", "cut off", Code.FORMERR),
        (HEAD + b"\xc0", "nowhere", Code.FORMERR),
        (HEAD + b"\xc0\x0c\0\1\0\1", "nowhere", Code.FORMERR),
        (HEAD + b"\xc0\x00\0\1\0\1", "nowhere", Code.FORMERR),
        (HEAD + b"\1a\xc0\x0c\0\1\0\1", "nowhere", Code.FORMERR),
        (HEAD + b"\x40\0\0\1\0\1", "nowhere", Code.FORMERR),
        (HEAD + b"\x3f" * 256 + b"\0\0\1\0\1", "too long", Code.FORMERR),
        (HEAD[:11] + b"\1" + b"\1a\0\0\1\0\1", "cut off", Code.FORMERR),
        (HEAD[:11] + b"\1" + b"\1a\0\0\1\0\1" + b"\0\0\x29\x10\0\0\0\0\0\0", "cut off", Code.FORMERR),
        (HEAD[:11] + b"\1" + b"\1a\0\0\1\0\1" + b"\0\0\x29\x10\0\0\0\0\0\0\1", "cut off", Code.FORMERR),
        (HEAD[:11] + b"\1" + b"\1a\0\0\1\0\1" + b"\1a\0\0\x29\x10\0\0\0\0\0\0\0", "EDNS", Code.FORMERR),
        (HEAD[:11] + b"\2" + b"\1a\0\0\1\0\1" + b"\0\0\x29\x10\0\0\0\0\0\0\0" * 2, "EDNS twice", Code.FORMERR),
        (HEAD[:11] + b"\1" + b"\1a\0\0\1\0\1" + b"\0\0\x29\x10\0\0\1\0\0\0\0", "version", Code.BADVERS),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, what: str, code: Code) -> None:
    with pytest.raises(DnsError, match=what) as caught:
        decode_query(data)
    assert caught.value.code == code
    told = refuse(data, code)
    if what in ("header", "an answer"):
        assert told is None
    else:
        assert read(told).id == 0x1234
        assert int(read(told).rcode()) == code
        assert len(told or b"") <= len(data) + 11


def test_a_query_in_which_only_its_operation_is_unknown_is_repeated() -> None:
    update = dns.message.make_query(NAME, "SOA", id=7)
    update.set_opcode(dns.opcode.NOTIFY)
    told = read(refuse(update.to_wire(), Code.NOTIMP))
    assert told.opcode() == dns.opcode.NOTIFY
    assert told.question == update.question


def test_an_answer_of_another_server_is_read() -> None:
    query = ask("a.example.com")
    texts = (
        "a.example.com 30 CNAME b.example.com.",
        "b.example.com 30 A 192.0.2.7",
        "b.example.com 30 MX 10 mail.example.com.",
        "b.example.com 30 SRV 1 2 3 srv.example.com.",
        'b.example.com 30 TXT "hello"',
        "b.example.com 30 RRSIG A 8 2 30 20300101000000 20200101000000 1 example.com. AAAA",
    )
    soa = "example.com 60 SOA ns.example.com. hostmaster.example.com. 1 2 3 4 5"
    reply = decode_reply(reply_to(query, *texts, authority=(soa,), rcode=3))
    assert (reply.code, reply.truncated) == (Code.NXDOMAIN, False)
    assert reply.records[0] == Record("a.example.com", Type.CNAME, 30, "b.example.com")
    assert reply.records[1] == Record("b.example.com", Type.A, 30, bytes((192, 0, 2, 7)))
    again = encode_answer(decode_query(query), Answer(3, reply.records, reply.authority), limit=4096)
    assert lines(read(again).answer) == lines(read(reply_to(query, *texts)).answer)
    assert lines(read(again).authority) == [soa]


@pytest.mark.parametrize("ahead", [0, 1, 2, 1000])
def test_a_pointer_that_does_not_lead_back_ends_a_reader(ahead: int) -> None:
    whole = reply_to(ask("a.example.com"), "a.example.com 30 CNAME b.example.com.")
    at = len(whole) - 2
    assert whole[at:] == b"\xc0\x0e"
    with pytest.raises(DnsError, match="nowhere"):
        decode_reply(whole[:at] + (0xC000 + at + ahead).to_bytes(2, "big"))


def test_an_answer_that_is_cut_off_is_refused() -> None:
    whole = reply_to(ask("a.test"), "a.test 30 CNAME b.test.", "b.test 30 A 192.0.2.1")
    for keep in range(len(whole)):
        with pytest.raises(DnsError):
            decode_reply(whole[:keep])


def test_a_reply_is_told_from_others() -> None:
    query = ask()
    reply = reply_to(query, f"{NAME} 5 A 10.0.0.1")
    assert is_reply(query, reply)
    assert is_reply(ask(NAME.upper()), reply)
    assert not is_reply(query, query)
    assert not is_reply(ask(ident=1), reply)
    assert not is_reply(ask(kind="AAAA"), reply)
    assert not is_reply(ask("nginy.default.svc.cluster.local"), reply)
    assert not is_reply(query, reply[:11])
    assert not is_reply(query, reply[:20])
    unread = query[:2] + b"\x81\x81" + bytes(8)
    assert is_reply(query, unread)
    assert not is_reply(query, query[:2] + b"\x81\x80" + bytes(8))


def test_an_answer_too_long_for_a_datagram_is_shortened() -> None:
    reply = reply_to(ask(), *(f"{NAME} 5 A 10.0.0.{n}" for n in range(50)))
    message = read(shorten(reply))
    assert message.flags & dns.flags.TC
    assert not message.answer
    assert is_reply(ask(), shorten(reply))


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_messages_over_tcp(step: int) -> None:
    messages = [ask(), ask("b", "AAAA"), bytes(12)]
    wire = b"".join(map(framed, messages))
    reader, found = MessageReader(), list[bytes]()
    for at in range(0, len(wire), step):
        found += reader.feed(memoryview(wire)[at : at + step])
    assert found == messages


@pytest.mark.parametrize("size", [0, 11, 4097, 65535])
def test_a_message_of_no_possible_length_ends_the_connection(size: int) -> None:
    with pytest.raises(ProtocolError, match=f"{size} bytes"):
        list(MessageReader(4096).feed(size.to_bytes(2, "big")))


def test_what_came_before_a_broken_message_is_kept() -> None:
    found = MessageReader().feed(framed(ask()) + b"\0\0")
    assert next(found) == ask()
    with pytest.raises(DnsError):
        next(found)


@given(st.binary(max_size=100))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    for reader in decode_query, decode_reply, shorten:
        try:
            reader(HEAD[:2] + data)
        except DnsError:
            pass
    refuse(data, 1)

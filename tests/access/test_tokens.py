"""What a token has to be, and that nothing of it decides how it is checked."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from access import tokens
from access.tokens import LEEWAY, KeySet, NotAuthentic, NoUsableKeys, claim_of, read_keys
from tests.access.issuing import AUDIENCE, claims_of, private_key, public_jwk, sign

ISSUER = "https://issuer.example"
ALGORITHMS = sorted(tokens.ALGORITHMS)


def keys(*published: dict[str, Any]) -> KeySet:
    return read_keys({"keys": list(published) or [public_jwk("RS256")]})


def verified(token: str, known: KeySet | None = None, now: float | None = None) -> Any:
    key = (known or keys()).find(claim_of(token))
    if key is None:
        raise NotAuthentic("key")
    now = time.time() if now is None else now
    return tokens.verify(token, key, issuer=ISSUER, audiences=[AUDIENCE, "other"], now=now)


def reason(token: str, known: KeySet | None = None, now: float | None = None) -> str:
    with pytest.raises(NotAuthentic) as refused:
        verified(token, known, now)
    return refused.value.reason


def with_header(token: str, **changed: Any) -> str:
    """``token`` under another header, its signature kept."""
    header, rest = token.split(".", 1)
    told = json.loads(base64.urlsafe_b64decode(header + "==")) | changed
    return f"{encoded(told)}.{rest}"


def encoded(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_good_token_of_each_algorithm_is_accepted(algorithm: str) -> None:
    assert verified(sign(claims_of(ISSUER), algorithm), keys(public_jwk(algorithm)))["iss"] == ISSUER


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_that_names_no_algorithm_takes_those_of_its_type(algorithm: str) -> None:
    unnamed = {name: value for name, value in public_jwk(algorithm).items() if name != "alg"}
    assert verified(sign(claims_of(ISSUER), algorithm), keys(unnamed))


def test_q4_no_algorithm_at_all_is_refused() -> None:
    unsigned = jwt.encode(claims_of(ISSUER), None, algorithm="none", headers={"kid": "RS256-0"})
    assert reason(unsigned) == "algorithm"
    for spelling in ("none", "None", "NONE", "", None, 1, ["RS256"]):
        assert reason(with_header(sign(claims_of(ISSUER)), alg=spelling)) == "algorithm"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("form", ["pem", "jwk", "modulus"])
def test_q4_a_public_key_is_no_shared_secret(algorithm: str, form: str) -> None:
    public = private_key("RS256").public_key()
    secret = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(public_jwk("RS256")).encode(),
        "modulus": public_jwk("RS256")["n"].encode(),
    }[form]
    signing = f"{encoded({'alg': algorithm, 'kid': 'RS256-0'})}.{encoded(claims_of(ISSUER))}"
    # By hand: PyJWT refuses to sign with what looks like a public key.
    import hashlib
    import hmac

    digest = getattr(hashlib, algorithm.replace("HS", "sha"))
    signature = base64.urlsafe_b64encode(hmac.new(secret, signing.encode(), digest).digest()).decode()
    assert reason(f"{signing}.{signature.rstrip('=')}") == "algorithm"


def test_q4_a_shared_secret_in_a_key_set_is_passed_over() -> None:
    shared = {"kty": "oct", "k": encoded("s" * 32), "kid": "RS256-0", "alg": "HS256"}
    with pytest.raises(NoUsableKeys):
        keys(shared)
    assert [key.id for key in keys(shared, public_jwk("ES256"))] == ["ES256-0"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"iss": "https://issuer.example/"}, "issuer"),
        ({"iss": "https://ISSUER.example"}, "issuer"),
        ({"iss": None}, "claims"),
        ({"iss": [ISSUER]}, "issuer"),
        ({"aud": "dora2"}, "audience"),
        ({"aud": []}, "claims"),
        ({"aud": ["a", "b"]}, "audience"),
        ({"aud": None}, "claims"),
        ({"aud": {"dora": 1}}, "audience"),
        ({"exp": None}, "claims"),
        ({"exp": "tomorrow"}, "claims"),
        ({"exp": "9999999999"}, "claims"),
        ({"exp": True}, "claims"),
        ({"exp": 10**30}, "claims"),
        ({"nbf": "now"}, "claims"),
        ({"nbf": None, "iat": [1]}, "claims"),
        ({"sub": 7}, "malformed"),
    ],
)
def test_q4_wrong_and_missing_claims_are_refused(changed: dict[str, Any], expected: str) -> None:
    assert reason(sign(claims_of(ISSUER, **changed))) == expected


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_q4_a_time_that_is_no_number_is_refused(number: str) -> None:
    text = json.dumps(claims_of(ISSUER, exp=-1)).replace("-1", number)
    token = jwt.PyJWS().encode(text.encode(), private_key("RS256"), "RS256", headers={"kid": "RS256-0"})
    assert reason(token) == "claims"


def test_q4_one_audience_of_several_is_enough() -> None:
    assert verified(sign(claims_of(ISSUER, aud=["somebody", "other"])))


def test_q4_times_count_within_the_leeway_and_not_beyond() -> None:
    at = 1_800_000_000
    token = sign(claims_of(ISSUER, iat=at, nbf=at, exp=at + 600))
    for now in (at - LEEWAY, at, at + 600, at + 600 + LEEWAY - 0.1):
        assert verified(token, now=now)
    assert reason(token, now=at - LEEWAY - 0.1) == "early"
    assert reason(token, now=at + 600 + LEEWAY) == "expired"
    assert reason(sign(claims_of(ISSUER, nbf=None, iat=at + 60, exp=at + 600)), now=at) == "early"


def test_q4_another_key_of_the_same_name_does_not_count() -> None:
    assert reason(sign(claims_of(ISSUER), number=1, kid="RS256-0")) == "signature"
    assert reason(sign(claims_of(ISSUER), number=1)) == "key"
    assert reason(sign(claims_of(ISSUER), kid="../../dev/null")) == "key"


def test_q4_a_key_checks_only_what_it_is_for() -> None:
    assert reason(sign(claims_of(ISSUER), "RS512", kid="RS256-0")) == "key"
    assert reason(with_header(sign(claims_of(ISSUER)), alg="PS256"), keys(public_jwk("RS256"))) == "key"
    with pytest.raises(NoUsableKeys):
        keys(public_jwk("RS256", use="enc"))
    with pytest.raises(NoUsableKeys):
        keys(public_jwk("RS256", alg="ES256"))


def test_q4_a_private_key_and_a_short_one_do_not_count() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key("RS256")))
    with pytest.raises(NoUsableKeys):
        keys(private | {"kid": "RS256-0"})
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it is to be refused
    published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(short.public_key())) | {"kid": "short"}
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(claims_of(ISSUER), short, "RS256", headers={"kid": "short"})
    assert reason(token, keys(published)) == "key"


def test_without_a_name_the_only_key_that_fits_is_taken() -> None:
    nameless = sign(claims_of(ISSUER), kid=None)
    assert verified(nameless, keys(public_jwk("RS256"), public_jwk("ES256")))
    assert reason(nameless, keys(public_jwk("RS256"), public_jwk("RS256", 1))) == "key"


def test_q4_keys_that_a_token_brings_along_count_for_nothing() -> None:
    own = {"jwk": public_jwk("RS256", 1), "jku": "https://evil.example/keys", "x5u": "https://evil.example"}
    assert reason(sign(claims_of(ISSUER), number=1, **own)) == "key"
    assert reason(sign(claims_of(ISSUER), number=1, **own, kid="RS256-0")) == "signature"


def test_q4_what_has_to_be_understood_and_is_not_is_refused() -> None:
    assert reason(with_header(sign(claims_of(ISSUER)), crit=["exp2"], exp2=1)) == "malformed"
    assert reason(with_header(sign(claims_of(ISSUER)), crit=["b64"], b64=False)) == "malformed"


def test_q4_a_token_of_a_megabyte_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = sign(claims_of(ISSUER, padding="x" * 1_000_000))
    monkeypatch.setattr(jwt, "get_unverified_header", lambda _: pytest.fail("it was read"))
    for token in (huge, "." * 1_000_000, "x" * (tokens.LONGEST + 1)):
        assert reason(token) == "malformed"


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "é.é.é", "\ud800..", "eyJ9..", f"{encoded([])}.e30.", "a" * 16_000,
     f"{encoded({'alg': 'RS256', 'kid': 7})}.e30.", f"{'[' * 9000}..", f"{encoded('x')}.{encoded({})}.AA"],
)  # fmt: skip
def test_q4_what_is_no_token_is_refused(token: str) -> None:
    assert reason(token) in {"malformed", "algorithm"}


@given(st.data())
def test_q4_a_changed_token_is_refused(data: st.DataObject) -> None:
    token = sign(claims_of(ISSUER), "EdDSA")
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="latin-1").filter(lambda c: c != token[place]))
    assert reason(token[:place] + other + token[place + 1 :], keys(public_jwk("EdDSA")))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["keys", "kty", "crv", "n", "e", "x", "y", "kid", "alg", "use"]), inner
            )
        ),
    )
)
def test_a_key_set_of_any_shape_holds_keys_or_none(document: Any) -> None:
    for told in (document, {"keys": document}, {"keys": [document, public_jwk("RS256") | {"n": document}]}):
        with pytest.raises(NoUsableKeys):
            read_keys(told)


def test_the_words_of_a_refusal_hold_nothing_of_the_token() -> None:
    token = sign(claims_of(ISSUER, aud="secret-audience"))
    with pytest.raises(NotAuthentic) as refused:
        verified(token)
    assert str(refused.value) == "audience"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__

"""What a PostgreSQL URL says of TLS, and what is said of it; no server is asked."""

import ssl

import pytest

from access.postgres import check, is_lasting, trouble, without_tls

URL = "postgresql://dora:hunter2@db.example.com:5432/dora"


def untrusted(code: int, message: str) -> ssl.SSLCertVerificationError:
    """As OpenSSL's refusals come."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (URL, "db.example.com"),
        (f"{URL}?sslmode=prefer", "db.example.com"),
        (f"{URL}?sslmode=disable", "db.example.com"),
        ("postgresql://10.0.0.5/dora", "10.0.0.5"),
        ("postgresql://[2001:db8::1]:5432/dora", "2001:db8::1"),
        ("postgresql://127.0.0.1,db2.example.com/dora", "db2.example.com"),
        ("postgresql:///dora?host=db.example.com", "db.example.com"),
    ],
)
def test_a_password_in_the_clear_is_told_of(url, host):
    assert without_tls(url) == host


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}?sslmode=require",
        f"{URL}?sslmode=verify-ca",
        f"{URL}?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql://dora@localhost/dora",
        "postgresql://dora@127.0.0.1:5432/dora",
        "postgresql://dora@[::1]:5432/dora",
        "postgresql:///dora?host=/run/postgresql",
        "postgresql://%2Frun%2Fpostgresql/dora",
        "postgresql:///dora",
    ],
)
def test_nothing_is_said_of_what_is_protected_or_stays_here(url):
    assert without_tls(url) is None


def test_a_mode_of_the_environment_counts(monkeypatch):
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert without_tls(URL) is None


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://db/dora", "PostgreSQL URL"),
        ("db.example.com", "PostgreSQL URL"),
        (f"{URL}?sslmode=verify", "sslmode is none of"),
        (f"{URL}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "sslrootcert: /nowhere/ca.pem"),
        (f"{URL}?sslcert=/nowhere/me.pem", "sslcert: /nowhere/me.pem"),
    ],
)
def test_a_url_that_cannot_work_is_found_before_it_is_used(url, told):
    with pytest.raises(ValueError, match=told) as error:
        check(url)
    assert "hunter2" not in str(error.value)


def test_a_url_that_can_work_is_taken(tmp_path):
    (tmp_path / "ca.pem").write_text("x")
    check(f"{URL}?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem")


@pytest.mark.parametrize(
    "error",
    [
        untrusted(19, "self-signed certificate in certificate chain"),
        untrusted(62, "Hostname mismatch"),
        untrusted(10, "certificate has expired"),
        ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]"),
        ConnectionError("PostgreSQL server at x rejected SSL upgrade"),
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError(),
        RuntimeError("no pg_hba.conf entry for host, no encryption"),
        RuntimeError("password authentication failed"),
    ],
)
def test_no_trouble_is_told_with_the_password(error):
    told = trouble(error, URL)
    assert "db.example.com:5432" in told or "refused the connection" in told
    assert "hunter2" not in told
    assert "\n" not in told


def test_waiting_helps_only_against_absence():
    assert is_lasting(untrusted(62, "Hostname mismatch"))
    assert not is_lasting(ConnectionRefusedError(111, "Connection refused"))
    assert not is_lasting(TimeoutError())

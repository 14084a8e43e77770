//! The table: what looks like a credential, by the name that it stands under or by its own shape.
//!
//! `docs/redaction.md` is rendered from it, so what is written there is what is done.

/// One line of the table.
#[cfg_attr(not(test), expect(dead_code, reason = "ids and examples are for the page, which a test renders"))]
pub(super) struct Pattern {
    pub(super) id: &'static str,
    /// A regular expression. In a value's, the group `secret` is what is masked; without one, all of the match.
    pub(super) expression: &'static str,
    /// Words of which one stands in whatever the expression matches, in any mixture of cases.
    pub(super) needs: &'static [&'static str],
    pub(super) example: &'static str,
}

/// Names whose values are masked. They are matched without a prefix that ends in a slash, in lower case, with `_` between
/// their words: `apiKey`, `API-KEY` and `example.com/api.key` are all `api_key`.
pub(super) const NAMES: &[Pattern] = &[
    Pattern {
        id: "password",
        expression: r"passw(or)?ds?|passphrase|(^|_)(pass|pwd|pw)($|_)|(root|user|db|admin|require)pass$",
        needs: &["pass", "pwd", "pw"],
        example: "MYSQL_ROOT_PASSWORD",
    },
    Pattern { id: "secret", expression: r"secret($|_)", needs: &["secret"], example: "clientSecret" },
    Pattern { id: "token", expression: r"token($|_)", needs: &["token"], example: "GITHUB_TOKEN" },
    Pattern {
        id: "key",
        expression: r"(api|access|private|secret|signing|signature|encryption|master|account|shared|service|ssh|license|hmac|jwt|aes|deploy)_?keys?($|_)|apikey|privkey",
        needs: &["key"],
        example: "AWS_SECRET_ACCESS_KEY",
    },
    Pattern {
        id: "credential",
        expression: r"credentials?|(^|_)creds?($|_)",
        needs: &["cred"],
        example: "DB_CREDENTIALS",
    },
    Pattern {
        id: "authorization",
        expression: r"authorization|(basic|registry|docker|http|proxy|redis|master)_?auth($|_)|auth_?config|bearer|(^|_)cookie($|_)",
        needs: &["auth", "bearer", "cookie"],
        example: "Authorization",
    },
    Pattern {
        id: "connection",
        expression: r"connection_?str(ing)?|(^|_)dsn($|_)|(^|_)sas($|_)",
        needs: &["connection", "dsn", "sas"],
        example: "SQL_CONNECTION_STRING",
    },
    Pattern {
        id: "one-time",
        expression: r"(^|_)(otp|totp|pin|nonce|salt)($|_)|(^|_)seed_phrase|mnemonic",
        needs: &["otp", "pin", "nonce", "salt", "phrase", "mnemonic"],
        example: "TOTP",
    },
];

/// Names that only say where a credential is, or how it is used: these endings take a name out of the table above.
pub(super) const POINTERS: Pattern = Pattern {
    id: "pointer",
    expression: r"_(names?|namespace|files?|filename|paths?|dir|directory|mount|refs?|references?|ttl|age|expiry|expiration|duration|length|type|kind|version|enabled|algorithm|policy|class|provider|issuer|audience|mode|rotation|seconds|minutes|hours|days|count|size)$",

    needs: &[],
    example: "PASSWORD_FILE",
};

/// Values that are masked under whatever name, wherever they stand in a text.
pub(super) const VALUES: &[Pattern] = &[
    Pattern {
        id: "private-key",
        expression: r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|\z)",
        needs: &["PRIVATE KEY"],
        example: "-----BEGIN RSA PRIVATE KEY-----\u{2026}",
    },
    Pattern {
        id: "jwt",
        expression: r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*",
        needs: &["eyJ"],
        example: "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
    },
    Pattern {
        id: "url-password",
        expression: r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@]*:(?P<secret>[^\s/?#]+)@",
        needs: &["://"],
        example: "postgres://shop:hunter2@db:5432/shop",
    },
    Pattern {
        id: "bearer",
        expression: r"(?i)\b(bearer|basic|negotiate)\s+(?P<secret>[A-Za-z0-9._~+/=-]{12,})",
        needs: &["bearer", "basic", "negotiate"],
        example: "Authorization: Bearer 9f8e7d6c5b4a3210",
    },
    Pattern {
        id: "aws-key-id",
        expression: r"\b(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        needs: &["AKIA", "ASIA", "ABIA", "ACCA"],
        example: "AKIAIOSFODNN7EXAMPLE",
    },
    Pattern {
        id: "github",
        expression: r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})",
        needs: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        example: "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    },
    Pattern {
        id: "gitlab",
        expression: r"\bgl(pat|ptt|dt|rt|soat)-[A-Za-z0-9_-]{20,}",
        needs: &["glpat-", "glptt-", "gldt-", "glrt-", "glsoat-"],
        example: "glpat-0123456789abcdefghij",
    },
    Pattern {
        id: "slack",
        expression: r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|https://hooks\.slack\.com/(?P<secret>(services|workflows)/[A-Za-z0-9/_-]+)",
        needs: &["xox", "hooks.slack.com"],
        example: "xoxb-1234567890-abcdefghij",
    },
    Pattern {
        id: "google",
        expression: r"\bAIza[0-9A-Za-z_-]{30,}|\bya29\.[0-9A-Za-z_-]{20,}|\bGOCSPX-[0-9A-Za-z_-]{20,}",
        needs: &["AIza", "ya29.", "GOCSPX-"],
        example: "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    },
    Pattern {
        id: "stripe",
        expression: r"\b[rs]k_(live|test)_[0-9A-Za-z]{16,}|\bwhsec_[0-9A-Za-z+/=]{16,}",
        needs: &["sk_", "rk_", "whsec_"],
        example: "sk_live_0123456789abcdef",
    },
    Pattern {
        id: "ai",
        expression: r"\bsk-[A-Za-z0-9_-]{20,}|\bhf_[A-Za-z0-9]{30,}",
        needs: &["sk-", "hf_"],
        example: "sk-proj-0123456789abcdefghij",
    },
    Pattern {
        id: "registries",
        expression: r"\bnpm_[A-Za-z0-9]{30,}|\bpypi-[A-Za-z0-9_-]{16,}|\bdckr_pat_[A-Za-z0-9_-]{16,}|\bdop_v1_[a-f0-9]{32,}",
        needs: &["npm_", "pypi-", "dckr_pat_", "dop_v1_"],
        example: "npm_0123456789abcdefghijABCDEFGHIJ012345",
    },
    Pattern {
        id: "vault",
        expression: r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}",
        needs: &["hvs.", "hvb.", "hvr."],
        example: "hvs.0123456789abcdefghijklmn",
    },
    Pattern {
        id: "sendgrid",
        expression: r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        needs: &["SG."],
        example: "SG.0123456789abcdef.0123456789abcdef",
    },
    Pattern {
        id: "azure-key",
        expression: r"(?i)\b(AccountKey|SharedAccessKey|SharedAccessSignature)=(?P<secret>[^;\s]{8,})",
        needs: &["AccountKey=", "SharedAccessKey=", "SharedAccessSignature="],
        example: "AccountKey=MDEyMzQ1Njc4OWFiY2RlZg==",
    },
    Pattern {
        id: "assignment",
        expression: r#"(?i)\b[A-Za-z0-9_.-]*(passw(or)?d|passphrase|\bpwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)=(?P<secret>"[^"]*"|'[^']*'|[^\s,;&"'`]+)"#,
        needs: &[
            "passwd=",
            "password=",
            "passphrase=",
            "pwd=",
            "secret=",
            "token=",
            "key=",
            "credential=",
            "credentials=",
        ],
        example: "DB_PASSWORD=hunter2 ./migrate",
    },
    Pattern {
        id: "flag",
        expression: r#"(?i)(^|\s)--?[A-Za-z0-9_.-]*(passw(or)?d|passphrase|secret|token|api-?key|access-?key|private-?key)\s+(?P<secret>"[^"]*"|'[^']*'|[^\s,;&"'`-][^\s,;&"'`]*)"#,
        needs: &["passwd", "password", "passphrase", "secret", "token", "key"],
        example: "mysql --password hunter2",
    },
    Pattern {
        id: "client-flag",
        expression: r#"\b(mysql(dump|admin)?|mariadb(-dump|-admin)?|mongo(sh|dump|restore)?|sshpass)\s([^\n;|&]*?\s)?-p\s?(?P<secret>"[^"]*"|'[^']*'|[^\s,;&"'`-][^\s,;&"'`]*)"#,
        needs: &["mysql", "mariadb", "mongo", "sshpass"],
        example: "mysqldump -u root -phunter2 shop",
    },
    Pattern {
        id: "redis-flag",
        expression: r"\b(redis|valkey)-cli\s([^\n;|&]*?\s)?-a\s+(?P<secret>[^\s;|&]+)",
        needs: &["redis-cli", "valkey-cli"],
        example: "redis-cli -h cache -a hunter2 ping",
    },
    Pattern {
        id: "curl-user",
        expression: r"\bcurl\s([^\n;|&]*?\s)?(-u|--user)[\s=]*[^\s:;|&]+:(?P<secret>[^\s;|&]+)",
        needs: &["curl"],
        example: "curl -u admin:hunter2 https://example.com",
    },
    Pattern {
        id: "quoted-field",
        expression: r#"(?i)\\?["'][A-Za-z0-9_.-]*(passw(or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|authorization)\\?["']\s*:\s*\\?["'](?P<secret>[^"'\\]+)"#,
        needs: &["passwd", "password", "passphrase", "secret", "token", "key", "credential", "authorization"],
        example: r#"{"password": "hunter2"}"#,
    },
    Pattern {
        id: "line-field",
        expression: r#"(?im)^[\s-]*[A-Za-z0-9_.-]*(passw(or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)(:\s+|\s*=\s*)(?P<secret>\S.*)$"#,
        needs: &["passwd", "password", "passphrase", "secret", "token", "key"],
        example: "password: hunter2",
    },
];

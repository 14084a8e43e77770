//! The table as a page for people.

use std::fmt::Write;

use super::mask::MASK;
use super::patterns::{NAMES, POINTERS, Pattern, VALUES};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/redaction.md");

/// Set it to write the page instead of comparing it.
const UPDATE: &str = "KUBEPLEX_UPDATE_DOCS";

fn page() -> String {
    let mut page = format!(
        "# Redaction\n\n\
        What looks like a credential never leaves the cluster: the agent masks it before it stores or sends anything, in\n\
        what it caches and in what it reads live. Selectors, sorts and searches see only the masked form, so a value can't\n\
        be guessed through them either. `{MASK}` stands where something was.\n\n\
        This page is rendered from the table in `agent/src/redact/patterns.rs`, and a test keeps the two equal.\n\n\
        ## Always\n\n\
        - The values of a Secret's `data` and `stringData`, also of one that another object carries (a template, a bundle).\n  \
        Of Secrets themselves the agent asks for nothing, unless `[secrets]` in its configuration says `watch = \"metadata\"`:\n  \
        then for a table of their metadata (type and number of keys, never data), once somebody has asked for them.\n  \
        With `tls_dates` or `helm_releases` beside it, it does read the data of certificates or of Helm releases, keeps\n  \
        dates, names and versions of it, and drops the rest before anything is stored.\n\
        - The annotation `{}`, in which kubectl keeps a copy of the whole object.\n\
        - In the cache, the values of a ConfigMap: a hash under a key that is drawn at random when the agent starts, and the\n  \
        length, stand for each. A live read of one ConfigMap, with the rights of who asks, shows its values, under the rules\n  \
        below; a value of its `binaryData` is masked where what it encodes is a text with a credential in it.\n\n\
        `metadata.name`, `namespace`, `uid`, `resourceVersion` and `ownerReferences` are never changed: objects are found by them.\n",
        super::LAST_APPLIED
    );
    page.push_str(
        "\n## By name\n\n\
        A value is masked when it stands under one of these names: a field at any depth, the `value` beside a `name` or\n\
        `key` (environment variables, headers of probes), an argument such as `--password=…`, or the argument after\n\
        `--password`. Names are matched in lower case, with `_` between words and without a prefix that ends in a slash.\n\
        Switches (`true`, `false`) and references (`$(NAME)`) stay. Of a map under such a name, what it holds as `value`,\n\
        `plainText` and the like is masked. Clients that take a password with a flag of one letter (`mysql -p`,\n\
        `redis-cli -a`, `curl -u`) are known by their names.\n\n\
        Cells that the API server computed, of kinds whose columns only it knows, are masked as a field with the column's name\n\
        would be, and wherever they show what was masked in their object.\n\n",
    );
    table(&mut page, NAMES);
    page.push_str("\nNames with these endings only say where a credential is or how it is used, and their values stay:\n\n");
    table(&mut page, &[POINTERS]);
    page.push_str(
        "\n## By shape\n\n\
        These are masked wherever they stand: in any text of an object, in events, in lines of logs. Where an expression has\n\
        a group named `secret`, only that part is masked.\n\n",
    );
    table(&mut page, VALUES);
    page
}

fn table(page: &mut String, patterns: &[Pattern]) {
    page.push_str("| pattern | example | expression |\n|---|---|---|\n");
    for Pattern { id, expression, example, .. } in patterns {
        let code = |text: &str| format!("`{}`", text.replace('|', "\\|").replace('`', "\\x60"));
        // Writing to a string can't fail.
        let _ = writeln!(page, "| {id} | {} | {} |", code(example), code(expression));
    }
}

#[test]
fn the_page_is_the_table() {
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(PAGE, page()).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page(), "docs/redaction.md is not what the table says: run this test with {UPDATE}=1");
}

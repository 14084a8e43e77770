//! Comma lists: of names, of columns, of terms of an order.

use kubeplex_proto::column::same_column;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::sort::Direction;

use crate::error::CallError;
use crate::limits::{MAX_GROUP_PARTS, MAX_LIST_PARTS};
use crate::request::{Field, GroupBy, Order, OrderTerm};

use super::guard::short;

/// The parts between commas that stand outside quotes and brackets, trimmed.
///
/// # Errors
/// `invalid_argument` for an empty part, or too many.
pub(super) fn split<'a>(argument: &str, text: &'a str) -> Result<Vec<&'a str>, CallError> {
    let mut parts = Vec::new();
    let (mut start, mut quote, mut brackets) = (0, None, 0_usize);
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match (quote, c) {
            // What a backslash stands before ends no quote.
            (Some(_), '\\') => drop(characters.next()),
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => brackets += 1,
            (None, ']' | ')') => brackets = brackets.saturating_sub(1),
            (None, ',') if brackets == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(text[start..].trim());
    if parts.len() > MAX_LIST_PARTS {
        return Err(CallError::invalid(format!(
            "{argument}: {} parts are more than {MAX_LIST_PARTS}, the most of a comma list; a glob may say the same",
            parts.len()
        )));
    }
    match parts.iter().any(|part| part.is_empty()) {
        true => Err(CallError::invalid(format!(
            "{argument}: \"{}\" has an empty part; put a name between each two commas, as in a,b",
            short(text, 60)
        ))),
        false => Ok(parts),
    }
}

/// Names of Kubernetes objects, globs among them; `*` alone is all, so it restricts nothing.
///
/// # Errors
/// `invalid_argument` for a part that no object can be named.
pub(super) fn name_patterns(argument: &str, text: Option<&str>) -> Result<Vec<Pattern>, CallError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let parts = split(argument, text)?;
    // Names are DNS labels and the like, but those of RBAC objects may hold nearly anything.
    let allowed = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '/' | '%' | '"' | '\'');
    if let Some(wrong) = parts.iter().find(|part| part.len() > 253 || !part.chars().all(allowed)) {
        let wrong = short(wrong, 60);
        return Err(CallError::invalid(format!(
            "{argument}: \"{wrong}\" is neither a name nor a glob such as shop-*"
        )));
    }
    Ok(if parts.contains(&"*") { Vec::new() } else { parts.into_iter().map(Pattern::new).collect() })
}

/// Columns or paths to show, each once.
///
/// # Errors
/// `invalid_argument` for a field of a cluster that there is not.
pub(super) fn fields(text: Option<&str>) -> Result<Vec<Field>, CallError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let mut fields = Vec::new();
    for part in split("fields", text)? {
        let field = field("fields", part)?;
        if !fields.iter().any(|known| is_same(known, &field)) {
            fields.push(field);
        }
    }
    Ok(fields)
}

/// A column has several spellings, a path one.
fn is_same(a: &Field, b: &Field) -> bool {
    match (a, b) {
        (Field::Object(a), Field::Object(b)) if !a.contains(['.', '[']) => same_column(a, b),
        _ => a == b,
    }
}

/// Terms with `-` before what descends.
///
/// # Errors
/// `invalid_argument` for a term without a field, or a field of a cluster that there is not.
pub(super) fn order(text: Option<&str>) -> Result<Order, CallError> {
    let Some(text) = text else { return Ok(Order::Usual) };
    let mut terms: Vec<OrderTerm> = Vec::new();
    for part in split("sortBy", text)? {
        let (name, direction) = match part.strip_prefix('-') {
            Some(rest) => (rest, Direction::Descending),
            None => (part.strip_prefix('+').unwrap_or(part), Direction::Ascending),
        };
        if name.is_empty() {
            return Err(CallError::invalid(format!(
                "sortBy: \"{part}\" names no column; -age is an example"
            )));
        }
        let field = field("sortBy", name)?;
        // A field that came before has decided already.
        if terms.iter().all(|term| term.field != field) {
            terms.push(OrderTerm { field, direction });
        }
    }
    Ok(Order::By(terms))
}

/// Keys, and sums as `sum(restarts)`.
///
/// # Errors
/// `invalid_argument` for a part that is neither, or too many.
pub(super) fn group_by(text: Option<&str>) -> Result<Option<GroupBy>, CallError> {
    let Some(text) = text else { return Ok(None) };
    let parts = split("groupBy", text)?;
    if parts.len() > MAX_GROUP_PARTS {
        return Err(CallError::invalid(format!(
            "groupBy: {} parts are more than {MAX_GROUP_PARTS}, the most keys and sums",
            parts.len()
        )));
    }
    let (mut keys, mut sums): (Vec<Field>, Vec<String>) = (Vec::new(), Vec::new());
    for part in parts {
        match sum(part)? {
            Some(word) if sums.contains(&word) => {}
            Some(word) => sums.push(word),
            None => {
                let key = field("groupBy", part)?;
                if !keys.iter().any(|known| is_same(known, &key)) {
                    keys.push(key);
                }
            }
        }
    }
    Ok(Some(GroupBy { keys, sums }))
}

/// What is summed up; `None` for a key.
fn sum(part: &str) -> Result<Option<String>, CallError> {
    let call = part.strip_suffix(')').and_then(|call| call.split_once('('));
    let Some((function, word)) = call.filter(|(name, _)| name.chars().all(char::is_alphanumeric)) else {
        return Ok(None);
    };
    let word = word.trim();
    if function.eq_ignore_ascii_case("sum")
        && !word.is_empty()
        && matches!(field("groupBy", word)?, Field::Object(_))
    {
        return Ok(Some(word.to_owned()));
    }
    Err(CallError::invalid(format!(
        "groupBy: \"{}\" is neither a key nor a sum such as sum(restarts); the count of each group is always said",
        short(part, 60)
    )))
}

/// Groups have columns of their own.
///
/// # Errors
/// `invalid_argument` where others are asked for.
pub(super) fn no_fields(fields: &[Field]) -> Result<(), CallError> {
    match fields.first() {
        None => Ok(()),
        Some(field) => Err(CallError::invalid(format!(
            "fields: \"{}\" can't be shown beside groupBy, whose columns are its keys, count and its sums; leave fields out",
            short(&field.to_string(), 60)
        ))),
    }
}

/// As [`order`], of the columns that groups have.
///
/// # Errors
/// `invalid_argument` for a term that is none of them.
pub(super) fn order_of_groups(by: &GroupBy, text: Option<&str>) -> Result<Order, CallError> {
    let order = order(text)?;
    let unknown = order.fields().find(|field| by.place(&field.to_string()).is_none()).cloned();
    match unknown {
        None => Ok(order),
        Some(field) => Err(CallError::invalid(format!(
            "sortBy: groups have no \"{}\"; they have {}",
            short(&field.to_string(), 60),
            by.columns().join(", ")
        ))),
    }
}

fn field(argument: &str, name: &str) -> Result<Field, CallError> {
    // A kind's own column that is called as what identifies a row.
    if let Some(own @ ("cluster" | "namespace")) = name.strip_prefix("column.") {
        return Ok(Field::Object(own.to_owned()));
    }
    match name.strip_prefix("cluster.") {
        None if name == "cluster" => Ok(Field::Cluster),
        None if matches!(name, "namespace" | "metadata.namespace") => Ok(Field::Namespace),
        None => cluster_label(name)
            .map_or_else(|| Ok(Field::Object(name.to_owned())), |label| Ok(Field::ClusterLabel(label))),
        Some(_) => cluster_label(name).map(Field::ClusterLabel).ok_or_else(|| {
            CallError::invalid(format!(
                "{argument}: \"{}\" is not known of a cluster: cluster and cluster.labels.NAME are",
                short(name, 60)
            ))
        }),
    }
}

/// `cluster.labels.region`, `cluster.labels['topology.kubernetes.io/region']`.
fn cluster_label(name: &str) -> Option<String> {
    let rest = name.strip_prefix("cluster.labels")?;
    let quoted =
        |quote: char| rest.strip_prefix('[')?.strip_prefix(quote)?.strip_suffix(']')?.strip_suffix(quote);
    let label = rest.strip_prefix('.').or_else(|| quoted('\'')).or_else(|| quoted('"'))?;
    (!label.is_empty()).then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_quotes_and_brackets_do_not_split() {
        assert_eq!(split("x", "a, b").unwrap(), ["a", "b"]);
        assert_eq!(split("x", "metadata.labels['a,b'],c").unwrap(), ["metadata.labels['a,b']", "c"]);
        assert_eq!(split("x", "]a,b").unwrap(), ["]a", "b"]);
        assert_eq!(
            split("x", r"data['it\'s,'],data['\\'],c").unwrap(),
            [r"data['it\'s,']", r"data['\\']", "c"]
        );
        assert!(split("x", "a,,b").is_err());
        assert!(split("x", &"a,".repeat(100)).is_err());
    }

    #[test]
    fn cluster_fields_are_told_from_those_of_objects() {
        for (name, expected) in [
            ("cluster", Some(Field::Cluster)),
            ("cluster.labels.region", Some(Field::ClusterLabel("region".into()))),
            ("cluster.labels['a.b/c']", Some(Field::ClusterLabel("a.b/c".into()))),
            ("namespace", Some(Field::Namespace)),
            ("column.cluster", Some(Field::Object("cluster".into()))),
            ("column.x", Some(Field::Object("column.x".into()))),
            ("clusterIp", Some(Field::Object("clusterIp".into()))),
            ("spec.nodeName", Some(Field::Object("spec.nodeName".into()))),
            ("cluster.region", None),
            ("cluster.labels.", None),
        ] {
            assert_eq!(field("fields", name).ok(), expected, "{name}");
        }
    }

    #[test]
    fn keys_are_told_from_sums() {
        let by = |text| group_by(Some(text)).map(Option::unwrap);
        let asked = by("namespace, sum(restarts),status,STATUS,sum( spec.x[0]['a)b'] ),cluster").unwrap();
        assert_eq!(
            asked.columns(),
            ["namespace", "status", "cluster", "count", "sum(restarts)", "sum(spec.x[0]['a)b'])"]
        );
        assert_eq!(asked.at_the_edge("metadata.namespace").keys, ["metadata.namespace", "status"]);
        assert_eq!(asked.place("-"), None);
        assert_eq!(
            (asked.place("count"), asked.place("sum(restarts)"), asked.place("Status")),
            (Some(3), Some(4), Some(1))
        );
        assert_eq!(by("sum(count),count").unwrap().columns(), ["column.count", "count", "sum(count)"]);
        assert_eq!(group_by(None).unwrap(), None);
        for wrong in
            ["avg(restarts)", "sum()", "sum(cluster)", "count()", "a,,b", "cluster.zone", "a,b,c,d,e,f,g,h,i"]
        {
            let error = by(wrong).unwrap_err();
            assert!(error.message.starts_with("groupBy: "), "{wrong}: {}", error.message);
        }
    }

    #[test]
    fn the_first_mention_of_a_field_decides() {
        let Order::By(terms) = order(Some("-age, cluster ,age")).unwrap() else { panic!() };
        assert_eq!(terms.len(), 2);
        assert_eq!(terms[0].direction, Direction::Descending);
        assert_eq!(terms[1].field, Field::Cluster);
        assert!(order(Some("-")).is_err());
    }
}

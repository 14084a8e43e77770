//! Label selectors in the grammar of `k8s.io/apimachinery/pkg/labels`: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.

use serde_json::Value;
use thiserror::Error;

/// All requirements must hold; none selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

/// The text is not a label selector.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unable to parse requirement: {0}")]
pub(crate) struct LabelError(String);

impl LabelSelector {
    /// # Errors
    /// Where the text is not in the grammar, with the server's kind of message.
    pub(crate) fn parse(text: &str) -> Result<Self, LabelError> {
        let tokens = tokens(text);
        let mut parser = Parser { tokens: &tokens, at: 0 };
        let mut requirements = Vec::new();
        while parser.peek() != "" {
            requirements.push(parser.requirement()?);
            match parser.next() {
                "" => break,
                "," if !parser.peek().is_empty() => {}
                "," => return Err(LabelError("found '', expected: identifier after ','".into())),
                found => {
                    return Err(LabelError(format!("found '{found}', expected: ',' or 'end of string'")));
                }
            }
        }
        Ok(Self(requirements))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.0.iter().all(|requirement| requirement.test.holds(label(&requirement.key)))
    }
}

impl Test {
    fn holds(&self, label: Option<&str>) -> bool {
        let number = || label.and_then(|label| label.parse::<i64>().ok());
        match self {
            Self::Exists => label.is_some(),
            Self::Absent => label.is_none(),
            Self::In(values) => label.is_some_and(|label| values.iter().any(|value| value == label)),
            Self::NotIn(values) => !label.is_some_and(|label| values.iter().any(|value| value == label)),
            Self::Greater(bound) => number().is_some_and(|number| number > *bound),
            Self::Less(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let length = token_length(rest);
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

fn token_length(rest: &str) -> usize {
    const SYMBOLS: [char; 7] = ['=', '!', ',', '(', ')', '<', '>'];
    if rest.starts_with("==") || rest.starts_with("!=") {
        return 2;
    }
    if rest.starts_with(SYMBOLS) {
        return 1;
    }
    rest.find(|c: char| SYMBOLS.contains(&c) || c.is_whitespace()).unwrap_or(rest.len())
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).copied().unwrap_or("")
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn requirement(&mut self) -> Result<Requirement, LabelError> {
        if self.peek() == "!" {
            self.next();
            return Ok(Requirement { key: self.key()?, test: Test::Absent });
        }
        let key = self.key()?;
        let test = match self.peek() {
            "" | "," => Test::Exists,
            _ => self.test()?,
        };
        Ok(Requirement { key, test })
    }

    fn key(&mut self) -> Result<String, LabelError> {
        let key = self.next();
        let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        if key.is_empty() || !key.chars().all(well_formed) {
            return Err(LabelError(format!("found '{key}', expected: !, identifier, or 'end of string'")));
        }
        if key.rsplit('/').next().is_some_and(|name| name.is_empty() || name.len() > 63) {
            return Err(LabelError(format!(
                "invalid label key \"{key}\": name part must be 1-63 characters"
            )));
        }
        Ok(key.to_owned())
    }

    fn test(&mut self) -> Result<Test, LabelError> {
        match self.next() {
            "=" | "==" => Ok(Test::In(vec![self.value()])),
            "!=" => Ok(Test::NotIn(vec![self.value()])),
            "in" => Ok(Test::In(self.values()?)),
            "notin" => Ok(Test::NotIn(self.values()?)),
            ">" => Ok(Test::Greater(self.number()?)),
            "<" => Ok(Test::Less(self.number()?)),
            found => Err(LabelError(format!("found '{found}', expected: in, notin, =, ==, !=, gt, lt"))),
        }
    }

    /// A value may be empty: `a=` selects the label with the empty value.
    fn value(&mut self) -> String {
        match self.peek() {
            "" | "," | ")" => String::new(),
            _ => self.next().to_owned(),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, LabelError> {
        match self.next() {
            "(" => {}
            found => return Err(LabelError(format!("found '{found}', expected: '('"))),
        }
        let mut values = vec![self.value()];
        loop {
            match self.next() {
                "," => values.push(self.value()),
                ")" => return Ok(values),
                found => return Err(LabelError(format!("found '{found}', expected: ',' or ')'"))),
            }
        }
    }

    fn number(&mut self) -> Result<i64, LabelError> {
        let value = self.next();
        value.parse().map_err(|_| {
            LabelError(format!(
                "values: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selects_by_labels() {
        let pod = json!({"metadata": {"labels": {"app": "cart", "tier": "web", "weight": "7", "empty": ""}}});
        let cases = [
            ("", true),
            ("app=cart", true),
            ("app==cart,tier!=db", true),
            ("app in (cart, search),!gone", true),
            ("app notin (cart)", false),
            ("gone notin (cart)", true),
            ("gone!=x", true),
            ("app", true),
            ("!app", false),
            ("weight>6,weight<8", true),
            ("weight>7", false),
            ("app>1", false),
            ("empty=", true),
            ("app=", false),
            (" app = cart , tier in ( web ) ", true),
        ];
        for (selector, expected) in cases {
            let parsed = LabelSelector::parse(selector).unwrap();
            assert_eq!(parsed.matches(&pod), expected, "{selector:?}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_selector() {
        for selector in
            ["app=cart,", "=x", "app in cart", "app in (a", "a b", "weight>x", "a=b c=d", "é=1", "a/=1"]
        {
            let error = LabelSelector::parse(selector).unwrap_err();
            assert!(error.to_string().starts_with("unable to parse requirement: "), "{selector:?}: {error}");
        }
    }
}

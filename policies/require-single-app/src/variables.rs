//! `$(NAME)` in command lines, as the kubelet expands it.

use std::cell::Cell;
use std::collections::BTreeMap;

use policy_kit::Json;

use crate::arg::Arg;

/// The most bytes that all values of one container are expanded to. A value that names the one before it twice, thirty
/// times in a row, would be a gigabyte.
const MOST_EXPANDED: usize = 1 << 20;

/// The variables of a container, as far as the Pod states them.
pub(crate) struct Variables<'o> {
    /// Nothing for a value that comes from elsewhere.
    values: BTreeMap<&'o str, Option<String>>,
    /// Whether there are more, from ConfigMaps and Secrets.
    has_more: bool,
    /// Whether a controller fills in further parts of its own: `{{inputs.parameters.a}}`, `$(params.a)`.
    is_templated: bool,
    /// How many bytes more may be expanded.
    budget: Cell<usize>,
}

/// What a name stands for.
enum Value<'v> {
    Known(&'v str),
    Unknown,
    /// Nothing: the text stays as it is.
    Absent,
}

impl<'o> Variables<'o> {
    /// The variables of a container. A value sees those before it.
    pub(crate) fn of(container: &'o Json<'o>, is_templated: bool) -> Self {
        let has_more = !container.get("envFrom").items().is_empty();
        let mut variables =
            Variables { values: BTreeMap::new(), has_more, is_templated, budget: Cell::new(MOST_EXPANDED) };
        for variable in container.get("env").items() {
            let name = variable.get("name").text();
            let value = match variable.get("value") {
                Json::String(value) => variables.expand(value).text().map(str::to_owned),
                Json::Null if variable.get("valueFrom").is_null() => Some(String::new()),
                _ => None,
            };
            variables.values.insert(name, value);
        }
        variables
    }

    fn value(&self, name: &str) -> Value<'_> {
        match self.values.get(name) {
            Some(Some(value)) => Value::Known(value),
            Some(None) => Value::Unknown,
            // No name of a variable, but a command: `$(helper & )`.
            None if name.contains(|letter: char| letter.is_whitespace() || "&;|<>$`()\"'".contains(letter)) => {
                Value::Absent
            }
            None if self.has_more || is_of_service(name) || (self.is_templated && is_parameter(name)) => Value::Unknown,
            None => Value::Absent,
        }
    }

    fn spend(&self, length: usize) -> bool {
        let left = self.budget.get().checked_sub(length);
        self.budget.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Expands one word.
    pub(crate) fn expand(&self, text: &str) -> Arg {
        if self.is_templated { fill_in(text, |piece, arg| self.expand_into(piece, arg)) } else { self.kubelet(text) }
    }

    fn kubelet(&self, text: &str) -> Arg {
        let mut arg = Arg::empty();
        self.expand_into(text, &mut arg);
        arg
    }

    /// The grammar is that of `third_party/forked/golang/expansion` in Kubernetes: `$$` is a dollar
    /// sign, and a name that nobody knows is left as it is written.
    fn expand_into(&self, text: &str, arg: &mut Arg) {
        let mut rest = text;
        // Behind it there is no name any more, and no need to look for its end again and again.
        let last = text.rfind(')').unwrap_or(0);
        while let Some(place) = rest.find('$') {
            let (before, dollar) = rest.split_at(place);
            arg.push(before);
            let behind = dollar.get(1..).unwrap_or_default();
            rest = if let Some(behind) = behind.strip_prefix('$') {
                arg.push("$");
                behind
            } else if text.len() - behind.len() < last
                && let Some((name, behind)) = behind.strip_prefix('(').and_then(|inner| inner.split_once(')'))
            {
                match self.value(name) {
                    Value::Known(value) if self.spend(value.len()) => arg.push(value),
                    Value::Known(_) | Value::Unknown => arg.push_unknown(&format!("$({name})")),
                    Value::Absent => arg.push(&format!("$({name})")),
                }
                behind
            } else {
                arg.push("$");
                behind
            };
        }
        arg.push(rest);
    }
}

/// A text in which a controller fills in parts before anything reads it, and nothing else is expanded.
pub(crate) fn templated(text: &str) -> Arg {
    let last = text.rfind(')').unwrap_or(0);
    fill_in(text, |piece, arg| {
        let mut rest = piece;
        while let Some((before, behind)) = rest.split_once("$(") {
            arg.push(before);
            let is_before_last = behind.as_ptr() as usize - text.as_ptr() as usize <= last;
            match behind.split_once(')').filter(|(name, _)| is_before_last && is_parameter(name)) {
                Some((name, behind)) => {
                    arg.push_unknown(&format!("$({name})"));
                    rest = behind;
                }
                None => {
                    arg.push("$(");
                    rest = behind;
                }
            }
        }
        arg.push(rest);
    })
}

/// Marks `{{…}}` as not known, and hands over what stands between.
fn fill_in(text: &str, mut piece: impl FnMut(&str, &mut Arg)) -> Arg {
    let mut arg = Arg::empty();
    let mut rest = text;
    while let Some((before, (inner, behind))) =
        rest.split_once("{{").and_then(|(before, behind)| Some((before, behind.split_once("}}")?)))
    {
        piece(before, &mut arg);
        arg.push_unknown(&format!("{{{{{inner}}}}}"));
        rest = behind;
    }
    piece(rest, &mut arg);
    arg
}

/// `params.name`, `params["name"]`, `workspaces.source.path`: no name of a variable or program.
fn is_parameter(name: &str) -> bool {
    name.contains(['.', '[']) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".[]\"'*_-".contains(&byte))
}

/// Variables that the kubelet adds for the Services of the namespace: `WEB_SERVICE_HOST`, `WEB_PORT_80_TCP_ADDR`.
fn is_of_service(name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_plain
        && (name.ends_with("_SERVICE_HOST")
            || name.contains("_SERVICE_PORT")
            || name.ends_with("_PORT")
            || name.contains("_PORT_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(container: &str, text: &str) -> String {
        let container = Json::parse(container).expect("JSON");
        let arg = Variables::of(&container, false).expand(text);
        match arg.text() {
            Some(text) => text.to_owned(),
            None => format!("? {}", arg.shown()),
        }
    }

    #[test]
    fn names_are_expanded_as_the_kubelet_does() {
        let env = r#"{"env":[{"name":"A","value":"a"},{"name":"B","value":"$(A)b$(C)"},{"name":"C","value":"c"},
            {"name":"D","valueFrom":{"secretKeyRef":{}}},{"name":"E","value":"$(D)"},{"name":"A","value":"z"},{"name":"F"}]}"#;
        for (text, expected) in [
            ("plain", "plain"),
            ("$(A)", "z"),
            ("$(B)", "ab$(C)"),
            ("x$(C)y$(C)", "xcyc"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$z"),
            ("$(NOBODY)", "$(NOBODY)"),
            ("$(A", "$(A"),
            ("$A ${A}", "$A ${A}"),
            ("$", "$"),
            ("$()", "$()"),
            ("$(F)", ""),
            ("a$(D)b", "? a$(D)b"),
            ("$(E)", "? $(E)"),
            ("$(WEB_SERVICE_HOST)", "? $(WEB_SERVICE_HOST)"),
        ] {
            assert_eq!(expand(env, text), expected, "{text}");
        }
        // A billion of them.
        let mut laughs = String::from(r#"{"name":"V0","value":"ha"}"#);
        for level in 1..40 {
            laughs.push_str(&format!(r#",{{"name":"V{level}","value":"$(V{0})$(V{0})"}}"#, level - 1));
        }
        assert!(expand(&format!(r#"{{"env":[{laughs}]}}"#), "$(V39)").starts_with("? "));
        assert_eq!(expand("{}", &"$(".repeat(100_000)).len(), 200_000);
        assert_eq!(expand(r#"{"envFrom":[{"configMapRef":{"name":"x"}}]}"#, "$(A)"), "? $(A)");
    }
}

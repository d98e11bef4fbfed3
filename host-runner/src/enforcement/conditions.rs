//! `matchConditions` of Kubernetes' webhooks: expressions in CEL that decide whether a policy is asked at all.
//!
//! Kubernetes adds libraries of its own to CEL. What is not in here cannot be evaluated, and whoever asks is told
//! that nobody knows. See <https://kubernetes.io/docs/reference/using-api/cel/>.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use cel::objects::Key;
use cel::{Context, Env, ExecutionError, Program, extensions};
use serde::Deserialize;
use serde_json::Value;

use super::{Selected, variables};
use crate::admission::AdmissionRequest;

/// CEL with the libraries that Kubernetes and the crate have in common.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(true);
    // Fails only where a name is taken, which a run would show as an undeclared reference.
    let _ = env.add_extension(extensions::strings);
    Arc::new(env)
});

/// One condition, compiled.
#[derive(Debug, Clone)]
pub struct Condition {
    name: String,
    program: Arc<Program>,
}

/// What the API server does when it cannot tell whether a policy is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum FailurePolicy {
    /// It refuses the request.
    #[default]
    Fail,
    /// It does not ask.
    Ignore,
}

/// What a condition may name. A cluster alone can answer for the last.
const VARIABLES: [&str; 4] = ["object", "oldObject", "request", "authorizer"];

/// The most bytes of an expression. Parser and interpreter are recursive, and an expression costs nobody more than its
/// author's patience up to there.
const LONGEST_EXPRESSION: usize = 4 << 10;

/// The most brackets inside each other.
const DEEPEST_EXPRESSION: usize = 64;

/// Whether an expression is of a size that people write.
///
/// # Errors
///
/// When it is larger or deeper.
pub(super) fn check_size(expression: &str) -> Result<(), String> {
    if expression.len() > LONGEST_EXPRESSION {
        return Err(format!("is longer than {LONGEST_EXPRESSION} bytes"));
    }
    let mut depth = 0_usize;
    for letter in expression.bytes() {
        match letter {
            b'(' | b'[' | b'{' | b'?' | b'!' | b'-' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST_EXPRESSION {
            return Err(format!("is nested deeper than {DEEPEST_EXPRESSION} times"));
        }
    }
    Ok(())
}

/// What one condition says.
enum Said {
    Yes,
    No,
    Failed(String),
    Unknown(String),
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    ///
    /// When the expression is no CEL.
    pub fn compile(name: String, expression: &str) -> Result<Self, String> {
        check_size(expression)?;
        let program = ENVIRONMENT.compile(expression).map_err(|error| {
            let text = error.to_string();
            format!("{expression:?} is no CEL: {}", text.lines().map(str::trim).collect::<Vec<_>>().join(" "))
        })?;
        // Kubernetes knows the names before it evaluates: one that is misspelt is told, also where nothing comes to it.
        if let Some(unknown) = variables::unknown(&program.expression().expr, &VARIABLES) {
            return Err(format!("{unknown} is no variable: there are {}", VARIABLES.join(", ")));
        }
        Ok(Condition { name, program: Arc::new(program) })
    }

    fn say(&self, context: &Context<'_, '_>) -> Said {
        match self.program.execute(context) {
            Ok(cel::Value::Bool(true)) => Said::Yes,
            Ok(cel::Value::Bool(false)) => Said::No,
            Ok(_) => Said::Unknown(format!("matchCondition {:?} gives no boolean", self.name)),
            Err(error) => {
                let text = format!("matchCondition {:?}: {error}", self.name);
                match error {
                    // Perhaps a function of Kubernetes' that is not in here, or one that takes more than ours.
                    ExecutionError::UndeclaredReference(_)
                    | ExecutionError::NoSuchOverload(_)
                    | ExecutionError::NotSupportedAsMethod { .. }
                    | ExecutionError::FunctionError { .. }
                    | ExecutionError::InternalError(_) => {
                        Said::Unknown(format!("{text}, which host-runner cannot evaluate"))
                    }
                    _ => Said::Failed(text),
                }
            }
        }
    }
}

/// Whether all conditions hold. One that does not ends the matter, whatever the others say.
pub(super) fn select(conditions: &[Condition], failure_policy: FailurePolicy, request: &AdmissionRequest) -> Selected {
    if conditions.is_empty() {
        return Selected::Yes;
    }
    let context = context(request);
    let (mut failed, mut unknown) = (None, None);
    for condition in conditions {
        match condition.say(&context) {
            Said::Yes => {}
            Said::No => return Selected::No,
            Said::Failed(text) => drop(failed.get_or_insert(text)),
            Said::Unknown(text) => drop(unknown.get_or_insert(text)),
        }
    }
    match (unknown, failed, failure_policy) {
        (Some(text), ..) => Selected::Unknown(text),
        (None, Some(text), FailurePolicy::Fail) => Selected::Refused(text),
        (None, Some(_), FailurePolicy::Ignore) => Selected::No,
        (None, None, _) => Selected::Yes,
    }
}

/// The variables of a condition: `object`, `oldObject`, `request`. Whoever names `authorizer` asks something that only a
/// cluster can answer.
fn context<'v>(request: &AdmissionRequest) -> Context<'v, 'v> {
    let mut context = Context::with_env(ENVIRONMENT.clone());
    let mut about: Value = serde_json::from_slice(request.json()).unwrap_or_default();
    if let Some(members) = about.as_object_mut() {
        members.remove("object");
        members.remove("oldObject");
    }
    let object = |object: &Option<Value>| object.as_ref().map_or(cel::Value::Null, value);
    context.add_variable_from_value("object", object(&request.object));
    context.add_variable_from_value("oldObject", object(&request.old_object));
    context.add_variable_from_value("request", value(&about));
    context
}

/// Whole numbers are `int` for Kubernetes, also those above zero, which serde takes for unsigned ones.
fn value(json: &Value) -> cel::Value {
    match json {
        Value::Null => cel::Value::Null,
        Value::Bool(truth) => cel::Value::Bool(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => cel::Value::Int(number),
            (None, Some(number)) => cel::Value::UInt(number),
            (None, None) => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(value).collect())),
        Value::Object(members) => {
            let members: HashMap<Key, cel::Value> =
                members.iter().map(|(key, member)| (Key::String(Arc::new(key.clone())), value(member))).collect();
            cel::Value::Map(members.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::{Catalog, RequestOptions};

    const DEPLOYMENT: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {tier: front}}, spec: {replicas: 3, template: {spec: {containers: [{name: web, image: r.io/a}]}}}}";

    fn selected(expressions: &[&str], failure_policy: FailurePolicy) -> Selected {
        let object = serde_saphyr::from_str(DEPLOYMENT).expect("YAML");
        let options = RequestOptions { namespace: Some("shop".to_owned()), ..RequestOptions::default() };
        let request = AdmissionRequest::for_object(object, &options, &Catalog::default()).expect("a request");
        let conditions: Vec<Condition> =
            expressions.iter().map(|expression| Condition::compile("c".to_owned(), expression).expect("CEL")).collect();
        select(&conditions, failure_policy, &request)
    }

    #[test]
    fn conditions_read_request_and_objects() {
        for (expression, expected) in [
            ("true", Selected::Yes),
            ("object.spec.replicas > 2", Selected::Yes),
            ("object.spec.replicas == 2 + 1", Selected::Yes),
            ("object.metadata.labels['tier'] == 'back'", Selected::No),
            ("has(object.metadata.annotations)", Selected::No),
            ("object.spec.template.spec.containers.all(c, c.image.startsWith('r.io/'))", Selected::Yes),
            ("object.spec.template.spec.containers.exists(c, c.image.lowerAscii().matches('^x'))", Selected::No),
            ("oldObject == null", Selected::Yes),
            ("request.operation == 'CREATE' && request.namespace in ['shop', 'bank']", Selected::Yes),
            ("!('system:masters' in request.userInfo.groups)", Selected::No),
            ("object.metadata.?annotations['a'].orValue('none') == 'none'", Selected::Yes),
            ("object.spec.template.spec.containers.map(c, c.image).exists(c, c.startsWith('r.io'))", Selected::Yes),
            ("type(object.spec.replicas) == int && {'a': 1}['a'] == 1 && 2 in [1, 2]", Selected::Yes),
            ("optional.of(1).hasValue()", Selected::Yes),
        ] {
            assert_eq!(selected(&[expression], FailurePolicy::Fail), expected, "{expression}");
        }
    }

    #[test]
    fn a_condition_that_fails_is_no_condition_that_does_not_hold() {
        let failing = "object.metadata.annotations['a'] == 'b'";
        let refused = selected(&[failing], FailurePolicy::Fail);
        assert_eq!(refused, Selected::Refused("matchCondition \"c\": No such key: annotations".to_owned()));
        assert_eq!(selected(&[failing], FailurePolicy::Ignore), Selected::No);
        assert_eq!(selected(&[failing, "false"], FailurePolicy::Fail), Selected::No);
    }

    #[test]
    fn what_only_a_cluster_can_evaluate_is_unknown() {
        for expression in [
            "authorizer.group('').resource('pods').check('create').allowed()",
            "quantity('1Gi').isGreaterThan(quantity('1Mi'))",
            "object.metadata.name",
        ] {
            for policy in [FailurePolicy::Fail, FailurePolicy::Ignore] {
                assert!(matches!(selected(&[expression], policy), Selected::Unknown(_)), "{expression}");
            }
        }
        for expression in ["requst.operation == 'CREATE'", "false && requst.operation == 'CREATE'", "x.all(y, y)"] {
            let error = Condition::compile("c".to_owned(), expression).expect_err(expression);
            assert!(error.contains("is no variable: there are object, oldObject, request, authorizer"), "{error}");
        }
        assert!(Condition::compile("c".to_owned(), "object.spec.all(c, c.image != '')").is_ok());
        assert_eq!(selected(&["authorizer.x", "false"], FailurePolicy::Fail), Selected::No);
    }

    #[test]
    fn no_expression_takes_the_stack() {
        let sum = format!("{}1 > 0", "1 + ".repeat(1000));
        assert_eq!(selected(&[sum.as_str()], FailurePolicy::Fail), Selected::Yes);
        for expression in [
            format!("{}true{}", "(".repeat(200_000), ")".repeat(200_000)),
            format!("{}1 > 0", "1 + ".repeat(8000)),
            format!("object{} == 1", ".a".repeat(200_000)),
            format!("{}true", "!".repeat(100)),
        ] {
            assert!(Condition::compile("c".to_owned(), &expression).is_err());
        }
    }

    #[test]
    fn what_is_no_cel_is_told() {
        let error = Condition::compile("c".to_owned(), "object. ==").expect_err("no CEL");
        assert!(error.starts_with("\"object. ==\" is no CEL: "), "{error}");
    }
}

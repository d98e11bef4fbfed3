//! The variables that an expression in CEL needs from outside.

use cel::common::ast::{EntryExpr, Expr};

/// Names of types and of libraries, which stand where variables may stand.
const NO_VARIABLES: [&str; 14] = [
    "bool",
    "bytes",
    "double",
    "duration",
    "int",
    "list",
    "map",
    "null_type",
    "optional",
    "string",
    "strings",
    "timestamp",
    "type",
    "uint",
];

/// The first variable that is neither one of `known` nor bound inside the expression.
pub(super) fn unknown<'e>(expression: &'e Expr, known: &[&str]) -> Option<&'e str> {
    search(expression, known, &mut Vec::new())
}

fn search<'e>(expression: &'e Expr, known: &[&str], bound: &mut Vec<&'e str>) -> Option<&'e str> {
    match expression {
        Expr::Unspecified | Expr::Literal(_) => None,
        Expr::Ident(name) => {
            // Macros make names of their own, which begin with @.
            let is_known = name.starts_with('@')
                || known.contains(&name.as_str())
                || bound.contains(&name.as_str())
                || NO_VARIABLES.contains(&name.as_str());
            (!is_known).then_some(name)
        }
        Expr::Select(select) => search(&select.operand.expr, known, bound),
        Expr::Call(call) => {
            let operands = call.target.iter().map(|target| &**target).chain(&call.args);
            operands.into_iter().find_map(|operand| search(&operand.expr, known, bound))
        }
        Expr::List(list) => list.elements.iter().find_map(|element| search(&element.expr, known, bound)),
        Expr::Map(map) => map.entries.iter().find_map(|entry| search_entry(&entry.expr, known, bound)),
        Expr::Struct(made) => made.entries.iter().find_map(|entry| search_entry(&entry.expr, known, bound)),
        Expr::Comprehension(comprehension) => {
            let outside = [&comprehension.iter_range, &comprehension.accu_init];
            if let Some(name) = outside.into_iter().find_map(|part| search(&part.expr, known, bound)) {
                return Some(name);
            }
            let before = bound.len();
            bound.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
            bound.extend(comprehension.iter_var2.as_deref());
            let inside = [&comprehension.loop_cond, &comprehension.loop_step, &comprehension.result];
            let found = inside.into_iter().find_map(|part| search(&part.expr, known, bound));
            bound.truncate(before);
            found
        }
    }
}

fn search_entry<'e>(entry: &'e EntryExpr, known: &[&str], bound: &mut Vec<&'e str>) -> Option<&'e str> {
    match entry {
        EntryExpr::StructField(field) => search(&field.value.expr, known, bound),
        EntryExpr::MapEntry(entry) => {
            search(&entry.key.expr, known, bound).or_else(|| search(&entry.value.expr, known, bound))
        }
    }
}

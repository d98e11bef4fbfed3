//! The expression of a policy group: verdicts of its members, joined by `&&`, `||`, `!`, `==` and `!=`.
//!
//! Kubewarden's controller reads it as CEL and its policy-server as Rhai; this is what both take.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use cel::parser::Parser;

use super::conditions::check_size;

/// An expression over the members of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `true`, `false`.
    Constant(bool),
    /// `name()`: whether the member accepts.
    Member(String),
    /// `!a`.
    Not(Box<Expression>),
    /// `a && b`.
    And(Box<Expression>, Box<Expression>),
    /// `a || b`.
    Or(Box<Expression>, Box<Expression>),
    /// `a == b`.
    Equal(Box<Expression>, Box<Expression>),
    /// `a != b`.
    Unequal(Box<Expression>, Box<Expression>),
}

/// Why a text is no expression of a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It cannot be parsed.
    #[error("{0}")]
    Syntax(String),
    /// A member that the group does not have.
    #[error("{0}() is no policy of the group, which has {1}")]
    UnknownMember(String, String),
    /// Something that is not in the common part of CEL and Rhai.
    #[error("only names of the group's policies, such as {0}(), and ==, !=, ||, &&, !, true, false may be used")]
    Unsupported(String),
}

impl Expression {
    /// Parses an expression over these members.
    ///
    /// # Errors
    ///
    /// See [`ExpressionError`].
    pub fn parse(text: &str, members: &BTreeSet<&str>) -> Result<Self, ExpressionError> {
        check_size(text).map_err(ExpressionError::Syntax)?;
        let parsed = Parser::default().parse(text).map_err(|error| {
            let text = error.to_string();
            ExpressionError::Syntax(text.lines().map(str::trim).collect::<Vec<_>>().join(" "))
        })?;
        convert(&parsed.expr, members)
    }

    /// Evaluates, asking members from left to right and only those whose verdict matters.
    ///
    /// # Errors
    ///
    /// The first that a member gives.
    pub fn evaluate<E>(&self, member: &mut impl FnMut(&str) -> Result<bool, E>) -> Result<bool, E> {
        Ok(match self {
            Expression::Constant(truth) => *truth,
            Expression::Member(name) => member(name)?,
            Expression::Not(operand) => !operand.evaluate(member)?,
            Expression::And(left, right) => left.evaluate(member)? && right.evaluate(member)?,
            Expression::Or(left, right) => left.evaluate(member)? || right.evaluate(member)?,
            Expression::Equal(left, right) => left.evaluate(member)? == right.evaluate(member)?,
            Expression::Unequal(left, right) => left.evaluate(member)? != right.evaluate(member)?,
        })
    }
}

fn convert(expression: &Expr, members: &BTreeSet<&str>) -> Result<Expression, ExpressionError> {
    let unsupported = || ExpressionError::Unsupported((*members.first().unwrap_or(&"policy")).to_owned());
    match expression {
        Expr::Literal(LiteralValue::Boolean(truth)) => Ok(Expression::Constant(*truth.inner())),
        Expr::Call(CallExpr { func_name, target: None, args }) => {
            let operand = |index: usize| convert(&args[index].expr, members).map(Box::new);
            match (func_name.as_str(), args.len()) {
                (operators::LOGICAL_NOT, 1) => Ok(Expression::Not(operand(0)?)),
                (operators::LOGICAL_AND, 2) => Ok(Expression::And(operand(0)?, operand(1)?)),
                (operators::LOGICAL_OR, 2) => Ok(Expression::Or(operand(0)?, operand(1)?)),
                (operators::EQUALS, 2) => Ok(Expression::Equal(operand(0)?, operand(1)?)),
                (operators::NOT_EQUALS, 2) => Ok(Expression::Unequal(operand(0)?, operand(1)?)),
                (name, 0) if members.contains(name) => Ok(Expression::Member(name.to_owned())),
                (name, 0) => {
                    let known: Vec<&str> = members.iter().copied().collect();
                    Err(ExpressionError::UnknownMember(name.to_owned(), known.join(", ")))
                }
                _ => Err(unsupported()),
            }
        }
        _ => Err(unsupported()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Expression, ExpressionError> {
        Expression::parse(text, &BTreeSet::from(["a", "b", "c"]))
    }

    /// The verdict, and who was asked.
    fn evaluate(text: &str, truths: [bool; 3]) -> (bool, String) {
        let mut asked = String::new();
        let verdict = parse(text).expect("an expression").evaluate(&mut |name| {
            asked.push_str(name);
            Ok::<_, std::convert::Infallible>(truths[usize::from(name.as_bytes()[0] - b'a')])
        });
        (verdict.expect("infallible"), asked)
    }

    #[test]
    fn operators_bind_as_in_cel() {
        for (text, truths, expected, asked) in [
            ("a() || b() && c()", [false, true, false], false, "abc"),
            ("(a() || b()) && c()", [true, false, true], true, "ac"),
            ("!a() && b()", [true, true, true], false, "a"),
            ("!a() == b()", [false, true, false], true, "ab"),
            ("a() == b() && c()", [false, false, true], true, "abc"),
            ("a() != b()", [true, false, false], true, "ab"),
            ("a() == b() == c()", [false, false, true], true, "abc"),
            ("true || a()", [false; 3], true, ""),
            ("!(a() || b() || c())", [false; 3], true, "abc"),
            ("a() && a()", [true; 3], true, "aa"),
        ] {
            assert_eq!(evaluate(text, truths), (expected, asked.to_owned()), "{text}");
        }
    }

    #[test]
    fn members_are_asked_from_left_to_right() {
        let (_, asked) = evaluate("a() && b() && c() && a() && b() && c() && a()", [true; 3]);
        assert_eq!(asked, "abcabca");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "a",
            "a(true)",
            "a() > b()",
            "a() ? b() : c()",
            "a() in [b()]",
            "1 == 1",
            "a.b()",
            "'a' == 'a'",
            "a() | b()",
            "a() and b()",
            "",
            "a() &&",
            "size('x') == 1",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let error = parse("a() && d()").expect_err("unknown");
        assert_eq!(error.to_string(), "d() is no policy of the group, which has a, b, c");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[abc()!&|= truefals?:.]{0,40}") {
            let _ = parse(&text);
        }
    }
}

use super::*;
use bulkhead_core::State;

fn text(json: &str) -> JsonText {
    JsonText::parse(json, 1 << 20).expect("JSON")
}

fn scope() -> Scope {
    let result = |state, json| StepResult::new(state, Some(text(json)));
    Scope::new(text(r#"{"amount": 12, "items": ["a", "b"], "z": 1, "a": {"y": 1.5, "b": null}, "express": true}"#))
        .with("check", StepView::One(result(State::Succeeded, r#"{"ok": true, "score": 0.75}"#)))
        .with("a-b", StepView::One(result(State::Succeeded, "[1, 2]")))
        .with(
            "train",
            StepView::Each(vec![result(State::Succeeded, r#"{"loss": 3}"#), StepResult::new(State::Dead, None)]),
        )
}

fn holds(expression: &str) -> Result<bool, String> {
    Expression::holds(expression, &scope()).map_err(|error| error.to_string())
}

fn list(expression: &str) -> Result<Vec<String>, String> {
    let items = Expression::list(expression, &scope()).map_err(|error| error.to_string())?;
    Ok(items.iter().map(ToString::to_string).collect())
}

#[test]
fn a_condition_sees_input_and_results() {
    for expression in [
        "input.amount > 10",
        "{{ input.amount > 10 }}",
        "input.express",
        "steps.check.result.ok and steps.check.result.score >= 0.5",
        "steps.check.state == 'succeeded'",
        "steps['a-b'].result|length == 2",
        "steps.train|selectattr('state', 'eq', 'succeeded')|list|length == 1",
        "steps.train[0].result.loss == 3",
        "'a' in input.items",
        "not input.missing",
        "input.missing is undefined",
        "input.missing|default(5) == 5",
        "input.a.b is none",
    ] {
        assert_eq!(holds(expression), Ok(true), "{expression}");
    }
    assert_eq!(holds("input.missing"), Ok(false));
}

#[test]
fn a_slip_of_the_pen_fails_and_does_not_skip() {
    for expression in ["input.amuont.x > 3", "steps.chek.result.ok", "input.missing|first", "input.amount|nope"] {
        assert!(holds(expression).unwrap_err().starts_with("the expression failed"), "{expression}");
    }
}

#[test]
fn a_list_keeps_order_and_values() {
    assert_eq!(list("input.items").unwrap(), [r#""a""#, r#""b""#]);
    assert_eq!(list("[input.a, 3, none]").unwrap(), [r#"{"y":1.5,"b":null}"#, "3", "null"]);
    assert_eq!(list("range(3)").unwrap(), ["0", "1", "2"]);
    assert_eq!(list("'a,b'|split(',')").unwrap(), [r#""a""#, r#""b""#]);
    assert_eq!(list("[]").unwrap(), [""; 0]);
}

#[test]
fn what_is_no_list_or_too_much_is_refused() {
    assert!(list("input.amount").unwrap_err().contains("no list"));
    assert!(list("'text'").unwrap_err().contains("no list"));
    assert!(list("input").unwrap_err().contains("no list"));
    assert_eq!(list("range(10000)").unwrap().len(), 10_000);
    assert!(list("range(10001)").unwrap_err().contains("more than 10000"));
    let long = Scope::new(text(&format!("[{:?}]", "x".repeat((1 << 20) - 4))));
    let error = Expression::list("['x', [input]]", &long).unwrap_err().to_string();
    assert!(error.starts_with("item 1 of the list: longer than 1048576 bytes"), "{error}");
}

#[test]
fn what_could_grow_without_bound_is_not_there() {
    for expression in [
        "'x' * 1000000000",
        "['x'] * 1000000000",
        "range(1000000000)",
        "'x'|indent(1000000000)",
        "'%1000000000d'|format(1)",
        "9999999999 ** 9999999999",
    ] {
        assert!(holds(expression).is_err(), "{expression}");
    }
    let deep = format!("{}1{}", "(".repeat(2000), ")".repeat(2000));
    assert!(holds(&deep).is_err());
    assert!(holds(&"1 + ".repeat(2000)).unwrap_err().contains("the limit is 4096"));
}

#[test]
fn an_expression_that_multiplies_builds_no_lists() {
    for expression in [
        "([range(100000)] * 100000)|string",
        "[[1] * 100000] * 100000 == [1]",
        "input.items * 100000 ~ 'x'",
        "(input.items * 100000)|map('list')",
        "2 * input.a if [ ] else 1",
    ] {
        assert!(holds(expression).unwrap_err().starts_with("an expression with `*`"), "{expression}");
    }
    assert_eq!(holds("input.amount * 2 > 20 and steps['a-b'].result[1] * 3 == 6"), Ok(true));
    assert_eq!(holds("'[*' in ['[*']"), Ok(true));
    assert_eq!(holds("input['amount'] in [12]"), Ok(true));
}

#[test]
fn what_is_wrong_whatever_the_input_shows_at_load() {
    for (expression, words) in [
        ("input.a >", "not a valid expression: syntax error"),
        ("inptu.a", "`inptu`; did you mean `input`?"),
        ("env.HOME", "unknown name in an expression: `env`"),
        ("dict(a=1)", "unknown name in an expression: `dict`"),
        ("input.a|upcase", "unknown filter"),
        ("input.a is blank", "unknown test"),
        ("", "not a valid expression"),
    ] {
        let error = Expression::check(expression).unwrap_err().to_string();
        assert!(error.contains(words), "{expression}: {error}");
    }
    for expression in ["input.a.b.c > 3", "input.items|map(attribute='x')|list", "steps.a.result in [1]", "true"] {
        assert_eq!(Expression::check(expression), Ok(()), "{expression}");
    }
}

#[test]
fn the_steps_that_it_speaks_of_are_known() {
    let names = |text: &str| step_names(text).into_iter().collect::<Vec<_>>();
    assert_eq!(names("steps.a.result.x > steps['b-c'].result and steps [ \"d\" ].state"), ["a", "b-c", "d"]);
    assert_eq!(names("input.steps['a'] == 'steps[\"b\"]' and mysteps['c']"), [""; 0]);
    assert_eq!(names("steps[input.name].result"), [""; 0]);
    assert_eq!(names("'é' == steps['ü'].state"), ["ü"]);
}

#[test]
fn an_expression_without_names_is_constant() {
    assert_eq!(Expression::constant("1 > 2"), Some(false));
    assert_eq!(Expression::constant("true"), Some(true));
    assert_eq!(Expression::constant("input.a"), None);
}

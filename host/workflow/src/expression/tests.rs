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
        "(((1,)*9999,)*9999,)*9999 == 1",
        "(1,)*100000000",
        "'x'*99999999 == input.a",
        "input.a == 'x' * 99999999",
        "input.a == 'x'|default('y') * 99999999",
        "input.a * 2 == 3 or ('x')",
        "'x,'|split(',') * 9999 == input.a",
        "input.a * 2 == 3, 4",
    ] {
        assert!(holds(expression).unwrap_err().starts_with("an expression with `*`"), "{expression}");
    }
    assert_eq!(holds("input.amount * 2 > 20 and steps['a-b'].result[1] * 3 == 6"), Ok(true));
    assert_eq!(
        holds("input.amount * 2 > 20 and input.items[0] != 'b' and (not 'c' in input.items or 'a' == 'b')"),
        Ok(true)
    );
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
        ("input.a|upcase", "unknown filter: `upcase`"),
        ("input.a is blank", "unknown test: `blank`"),
        ("input.amount > 10 and input.name|upcase == 'A'", "unknown filter: `upcase`"),
        ("input.a and input.b is not blank", "unknown test: `blank`"),
        ("input.a|map('upcase')|list", "unknown filter: `upcase`"),
        ("input.a|rejectattr('x', 'blank')|list", "unknown test: `blank`"),
        ("input.a|select(\"blank\")|list", "unknown test: `blank`"),
        ("", "not a valid expression"),
    ] {
        let error = Expression::check(expression).unwrap_err().to_string();
        assert!(error.contains(words), "{expression}: {error}");
    }
    for expression in [
        "input.a.b.c > 3",
        "input.items|map(attribute='x', default=-1.5)|list",
        "input.items|map('upper')|list",
        "steps.a.result in [1]",
        "input.a == '|upcase is blank'",
        "input.a is not none",
        "true",
    ] {
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

#[test]
fn nothing_is_evaluated_before_there_is_an_input() {
    for expression in ["[1][9] == 2", "range(100000)", "'x'|int == 3", "1 / 0 > 3"] {
        assert_eq!((Expression::check(expression), Expression::constant(expression)), (Ok(()), None), "{expression}");
    }
}

#[test]
fn what_map_gives_for_each_item_is_short_and_not_written_out() {
    for expression in [
        "range(100000)|map(attribute='x',default=range(100000)|list)|string",
        "range(10000)|map(attribute='x',default=input)",
        "range(10000)|map('default', input)",
        &format!("range(10000)|map(attribute='x',default='{}')", "x".repeat(65)),
    ] {
        assert!(holds(expression).unwrap_err().starts_with("`map` takes"), "{expression}");
    }
    assert!(holds("input.items|map('upper') ~ 'x'").unwrap_err().contains("cannot have `~`"));
    assert!(holds("input|string").unwrap_err().contains("`string` writes no"));
    assert!(holds("input.items|sum").unwrap_err().contains("`sum` adds numbers"));
    assert!(holds("range(10001)|length > 1").unwrap_err().contains("more than 10000"));
    assert_eq!(holds("input.items|map(attribute='x',default=0)|sum == 0 and [1, 2.5]|sum == 3.5"), Ok(true));
    assert_eq!(holds("[{'a': {'b': 2}}, {'a': {'b': 3}}]|sum(attribute='a.b') == 5 and 5|string == '5'"), Ok(true));
}

#[test]
fn a_chain_of_operators_has_a_bound_and_no_stack_is_too_small_for_it() {
    for link in ["-", "not ", "1 + ", "1 * ", "input.a or ", "input[0] == "] {
        let long = link.repeat(4000 / link.len()) + "input";
        assert!(Expression::check(&long).unwrap_err().to_string().contains("at most"), "{link}");
    }
    let deepest = format!("{}{}input{}", "-".repeat(190), "(".repeat(100), ")".repeat(100));
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let read = thread.spawn(move || holds(&deepest).is_err() && holds(&"(".repeat(4096)).is_err());
    assert!(read.expect("a thread").join().expect("no overflow"));
}

#[test]
fn the_items_of_a_list_have_a_bound_together() {
    let scope = Scope::new(text(&format!("{:?}", "x".repeat((1 << 20) - 4))));
    let many = |count: usize| Expression::list(&format!("[{}]", "input, ".repeat(count)), &scope);
    assert_eq!(many(2).map(|items| items.len()), Ok(2));
    assert_eq!(many(65).unwrap_err().to_string(), "the items of the list are together longer than 67108864 bytes");
}

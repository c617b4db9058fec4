use bulkhead_core::Mount;

use super::*;
use crate::ImagePattern;

fn grant() -> DockerGrant {
    DockerGrant { images: vec![ImagePattern::parse("alpine:3").expect("a pattern")], ..DockerGrant::default() }
}

fn request() -> Container {
    Container { image: "alpine:3".to_owned(), ..Container::default() }
}

fn asked(grant: &DockerGrant, request: Container) -> Result<Plan, DelegateError> {
    admit(&HandlerName::parse("render").expect("a name"), grant, request, &[])
}

#[track_caller]
fn is_denied(grant: &DockerGrant, request: Container, text: &str) {
    assert_eq!(asked(grant, request), Err(DelegateError::Denied(text.to_owned())));
}

#[track_caller]
fn is_invalid(request: Container, start: &str) {
    match asked(&grant(), request) {
        Err(DelegateError::Invalid(text)) => assert!(text.starts_with(start), "{text}"),
        other => panic!("`{start}` is not what came: {other:?}"),
    }
}

#[test]
fn what_is_not_asked_for_is_what_the_grant_leaves() {
    let plan = asked(&grant(), request()).expect("admitted");
    assert_eq!((plan.memory, plan.cpus, plan.processes), (512 << 20, 1.0, 128));
    assert_eq!(
        (plan.network, plan.user.as_str(), plan.tmpfs),
        (false, crate::ContainerUser::default().as_str(), 64 << 20)
    );
    let less = Container { memory_bytes: Some(8 << 20), cpus: Some(0.5), processes: Some(3), ..request() };
    let plan = asked(&grant(), less).expect("admitted");
    assert_eq!((plan.memory, plan.cpus, plan.processes), (8 << 20, 0.5, 3));
}

#[test]
fn an_image_that_is_not_listed_is_denied_and_the_setting_is_named() {
    let text = "`handler.render.grants.docker.images` does not list `alpine:4`; add it";
    is_denied(&grant(), Container { image: "alpine:4".to_owned(), ..request() }, text);
    let text = "`handler.render.grants.docker.images` does not list `alpine:3`; add it";
    is_denied(&DockerGrant::default(), request(), text);
}

#[test]
fn more_than_the_grant_allows_is_denied_and_the_setting_is_named() {
    let text = "`handler.render.grants.docker.network` is not true, so that `network` must be false";
    is_denied(&grant(), Container { network: true, ..request() }, text);
    let text = "`handler.render.grants.docker.memory` allows 512.0 MiB and `memory-bytes` asks for 1.0 GiB; raise it";
    is_denied(&grant(), Container { memory_bytes: Some(1 << 30), ..request() }, text);
    let text = "`handler.render.grants.docker.cpus` allows 1 and `cpus` asks for 1.5; raise it";
    is_denied(&grant(), Container { cpus: Some(1.5), ..request() }, text);
    let text = "`handler.render.grants.docker.processes` allows 128 and `processes` asks for 129; raise it";
    is_denied(&grant(), Container { processes: Some(129), ..request() }, text);
    let text = "`handler.render.grants.docker.gpus` allows 0 and `gpus` asks for 1; raise it";
    is_denied(&grant(), Container { gpus: 1, ..request() }, text);
}

#[test]
fn a_container_gets_the_devices_that_were_leased_for_it_and_no_others() {
    let grant = DockerGrant { gpus: 2, ..grant() };
    let handler = HandlerName::parse("render").expect("a name");
    let two = Container { gpus: 2, ..request() };
    assert_eq!(admit(&handler, &grant, two.clone(), &[3, 5]).map(|plan| plan.devices), Ok(vec![3, 5]));
    assert!(matches!(admit(&handler, &grant, two, &[3]), Err(DelegateError::Unavailable(_))));
    assert!(matches!(admit(&handler, &grant, request(), &[3]), Err(DelegateError::Unavailable(_))));
}

#[test]
fn every_bound_of_the_contract_holds() {
    is_invalid(Container { image: "a".repeat(513), ..request() }, "`image`: ");
    is_invalid(Container { image: "../containers".to_owned(), ..request() }, "`image`: ");
    is_invalid(Container { command: vec!["x".to_owned(); 1025], ..request() }, "`command` has more than 1024");
    is_invalid(Container { command: vec!["x".repeat((64 << 10) + 1)], ..request() }, "`command` has more than 65536");
    let env = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    is_invalid(Container { env: vec![("x".to_owned(), String::new()); 257], ..request() }, "`env` has more than 256");
    is_invalid(Container { env: env("x", &"x".repeat(64 << 10)), ..request() }, "`env` has more than 65536");
    is_invalid(Container { stdin: vec![0; (16 << 20) + 1], ..request() }, "`stdin` has more than 16777216");
    let mount = |index: usize| Mount { source: ".".to_owned(), target: format!("/m{index}"), read_only: true };
    is_invalid(Container { mounts: (0..33).map(mount).collect(), ..request() }, "`mounts` has more than 32");
    is_invalid(
        Container { working_dir: Some(format!("/{}", "x".repeat(4096))), ..request() },
        "`working-dir` has more",
    );
}

#[test]
fn what_makes_no_sense_is_invalid_and_the_field_is_named() {
    let env = |name: &str| vec![(name.to_owned(), String::new())];
    is_invalid(Container { env: env(""), ..request() }, "`env` has a name that is empty");
    is_invalid(Container { env: env("A=B"), ..request() }, "`env` has a name that is empty or contains `=`");
    is_invalid(Container { env: env("NVIDIA_VISIBLE_DEVICES"), ..request() }, "`env` may not set");
    is_invalid(Container { command: vec![String::new()], ..request() }, "`command` begins with an empty text");
    is_invalid(
        Container { command: vec!["a\0b".to_owned()], ..request() },
        "`command`, `env` or `working-dir` has a NUL",
    );
    is_invalid(Container { working_dir: Some("tmp".to_owned()), ..request() }, "`working-dir` is no absolute path");
    is_invalid(Container { memory_bytes: Some(1), ..request() }, "`memory-bytes` is less than 6.0 MiB");
    for cpus in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        is_invalid(Container { cpus: Some(cpus), ..request() }, "`cpus` is not");
    }
    is_invalid(Container { processes: Some(0), ..request() }, "`processes` is 0");
    let mount = |target: &str| Mount { source: ".".to_owned(), target: target.to_owned(), read_only: true };
    is_invalid(
        Container { mounts: vec![mount("/a"), mount("/a/")], ..request() },
        "`mounts[1].target` is that of another",
    );
}

//! What the EXECUTE handlers take, checked where a step has `executor: docker` or `gpu`.

use super::{Shape, Table, acts, needed};

const STRINGS: Shape = Shape::List(&Shape::Text);
const COUNT: Shape = Shape::Whole(0, 4_294_967_295);
const SIZE: Shape = Shape::Written;
const SOURCE: Shape = Shape::Either(&[Shape::Text, Shape::Names(&Shape::Text)]);

/// `handler.initialization` of `executor: docker`.
pub(crate) const DOCKER: Table = Table {
    what: "a container (`executor: docker`)",
    keys: &[
        needed("image", Shape::Text, "An image that the operator allows."),
        acts("command", STRINGS, "Program and arguments; the image's own where absent."),
        acts("workspace_uri", Shape::Text, "The workspace; the workflow's where absent."),
        acts("source", SOURCE, "Written into the workspace first: a text as the file main, or texts by their paths."),
        acts("env", Shape::Names(&Shape::Text), "Environment."),
        acts("stdin", Shape::Text, "Standard input."),
        acts("limits", Shape::Table(&LIMITS), "What the container may use; what is absent is what the grant leaves."),
    ],
};

const LIMITS: Table = Table {
    what: "limits of a container",
    keys: &[
        acts("memory", SIZE, "A number of bytes, or a text such as 64MiB."),
        acts("cpus", Shape::Amount, "Cores, or a part of one."),
        acts("processes", COUNT, "Processes at once."),
    ],
};

/// `handler.initialization` of `executor: gpu`.
pub(crate) const GPU: Table = Table {
    what: "a program with GPUs (`executor: gpu`)",
    keys: &[
        acts("image", Shape::Text, "An image that the operator allows."),
        acts("program", Shape::Text, "A program that the operator named, instead of an image."),
        acts("command", STRINGS, "Program and arguments in a container; the arguments alone of a `program`."),
        acts("gpus", Shape::Whole(1, 4_294_967_295), "Devices; 1 where absent."),
        acts("workspace_uri", Shape::Text, "The workspace; the workflow's where absent."),
        acts("source", SOURCE, "Written into the workspace first."),
        acts("env", Shape::Names(&Shape::Text), "Environment."),
        acts("stdin", Shape::Text, "Standard input."),
        acts("limits", Shape::Table(&GPU_LIMITS), "What may be used."),
    ],
};

const GPU_LIMITS: Table = Table {
    what: "limits of a program with GPUs",
    keys: &[
        acts("memory", SIZE, "Memory of a container."),
        acts("cpus", Shape::Amount, "Cores of a container."),
        acts("processes", COUNT, "Processes at once in a container."),
        acts("gpu_memory", SIZE, "Free memory that each device of a program must have."),
    ],
};

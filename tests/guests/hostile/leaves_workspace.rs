//! Tries every way out of its workspace, and answers which were open. The host has put a link `out` there, to a folder with
//! a file `secret`.

use std::fs;

use bulkhead_guests::*;

guest!("LEAVES", |_| {
    let mut open = Vec::new();
    let mut tried = |way: &str, worked: bool| {
        if worked {
            open.push(way.to_owned());
        }
    };
    for path in
        ["/workspace/../etc/passwd", "/workspace/../../etc/passwd", "/etc/passwd", "/", "..", "/proc/self/environ"]
    {
        tried(path, fs::read(path).is_ok() || fs::read_dir(path).is_ok());
    }
    tried("through the link", fs::read("/workspace/out/secret").is_ok());
    tried("list the link", fs::read_dir("/workspace/out").is_ok());
    tried("write through the link", fs::write("/workspace/out/mine", "x").is_ok());
    fs::write("/workspace/own", "x").expect("its own folder is open");
    tried("rename out", fs::rename("/workspace/own", "/workspace/../own").is_ok());
    tried("rename through the link", fs::rename("/workspace/own", "/workspace/out/own").is_ok());
    tried("hard link from outside", fs::hard_link("/workspace/out/secret", "/workspace/hard").is_ok());
    #[allow(deprecated, reason = "the one way there is on this target")]
    {
        tried(
            "follow an absolute link",
            fs::soft_link("/etc/passwd", "/workspace/abs").is_ok() && fs::read("/workspace/abs").is_ok(),
        );
        let _ = fs::soft_link("../../../../etc/passwd", "/workspace/rel");
        tried("follow its own link", fs::read("/workspace/rel").is_ok());
    }
    complete(format!("{open:?}"))
});

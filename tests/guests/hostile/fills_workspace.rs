//! Fills its workspace until it is refused, in the way that its payload names, and answers how much it got in and the error.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};

use bulkhead_guests::*;

/// It gives up here: no bound was met.
const ENOUGH: u64 = 100_000;

guest!("FILLS", |task| {
    let way: String = task.payload.trim_matches('"').to_owned();
    let mut done = 0;
    let error = loop {
        match step(&way, done) {
            Err(error) => break error.to_string(),
            Ok(()) if done == ENOUGH => break "none".to_owned(),
            Ok(()) => done += 1,
        }
    };
    complete(format!("[{done}, {error:?}]"))
});

fn step(way: &str, number: u64) -> std::io::Result<()> {
    let path = format!("/workspace/{number}");
    match way {
        "append" => OpenOptions::new().append(true).create(true).open("/workspace/log")?.write_all(&[b'x'; 1000]),
        "write" => fs::write(path, [b'x'; 1000]),
        "sparse" => {
            let mut file = File::create(path)?;
            file.seek(SeekFrom::Start(999))?;
            file.write_all(b"x")
        }
        "hole" => File::create(path)?.set_len(1000),
        "files" => File::create(path).map(drop),
        "folders" => fs::create_dir(path),
        "unlinked" => {
            // Held open for ever, and without a name.
            let mut file = File::create(&path)?;
            fs::remove_file(path)?;
            file.write_all(&[b'x'; 1000])?;
            std::mem::forget(file);
            Ok(())
        }
        "open" => {
            std::mem::forget(File::open("/workspace")?);
            Ok(())
        }
        "rewrite" => {
            if number >= 2000 {
                return Err(std::io::Error::other("enough"));
            }
            fs::write("/workspace/same", vec![b'x'; 900])?;
            fs::rename("/workspace/same", "/workspace/other")?;
            fs::remove_file("/workspace/other")
        }
        "fifo" => {
            if number >= 1000 {
                return Err(std::io::Error::other("enough"));
            }
            let refused = |opened: std::io::Result<File>| opened.is_err();
            let all = ["/workspace/fifo", "/workspace/socket"].iter().all(|path| {
                refused(File::open(path))
                    && refused(OpenOptions::new().write(true).open(path))
                    && refused(OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path))
            });
            if all { Ok(()) } else { Err(std::io::Error::other("it was opened")) }
        }
        "read" => {
            if number >= 50 {
                return Err(std::io::Error::other("enough"));
            }
            fs::read("/workspace/large").map(drop)
        }
        _ => Err(std::io::Error::other("no such way")),
    }
}

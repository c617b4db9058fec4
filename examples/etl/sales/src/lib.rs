//! What a row of sales is, and what is added up of many.

mod batch;
mod checksum;
mod input;
mod row;
mod totals;

pub use batch::{Batch, Range};
pub use checksum::checksum;
pub use input::{HEADER, Input};
pub use row::{Flaw, Sale};
pub use totals::{Sum, Totals};

//! The fields of kinds, out of the documents that the API server describes them with (OpenAPI v3).
//!
//! Pure: a document in, fields out. Its schemas are read one by one as they are come by, because a document describes
//! hundreds, and a question is about few of them.

mod document;
mod walk;

pub use document::Document;
pub use walk::{NoField, explain};

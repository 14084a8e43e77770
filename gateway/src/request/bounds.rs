//! What a caller may ask for. The schemas of the tools and the messages of refusals are made of these.

/// Rows of a page.
pub const DEFAULT_LIMIT: u32 = 50;
pub const MAX_LIMIT: u32 = 1_000;

/// Seconds a call may take.
pub const DEFAULT_TIMEOUT_S: u64 = 10;
pub const MAX_TIMEOUT_S: u64 = 120;

/// Bytes of `structuredContent`. The smallest holds the coverage of a healthy fleet and a row or two.
pub const MIN_MAX_BYTES: usize = 500;
pub const MAX_MAX_BYTES: usize = 4 << 20;
/// VS Code and Copilot CLI move larger results into a file and show the model a preview.
pub const DEFAULT_MAX_BYTES_MCP: usize = 7_500;
pub const DEFAULT_MAX_BYTES_REST: usize = 32_768;

/// Characters of one argument: nobody types more, and selectors are matched against every object.
pub const MAX_ARGUMENT_CHARS: usize = 4_096;
/// Levels of arrays and objects in the arguments; the deepest that a tool knows is one.
pub const MAX_ARGUMENT_DEPTH: usize = 4;
/// Values in the arguments altogether.
pub const MAX_ARGUMENT_VALUES: usize = 512;
/// Parts of a comma list, requirements of a selector, terms of an order.
pub const MAX_LIST_PARTS: usize = 64;

/// Distinct objects that `resources_get` shows.
pub const MAX_DISTINCT_OBJECTS: usize = 20;

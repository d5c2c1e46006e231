//! What an image may ask of its reader.

/// Largest image read by default, in bytes.
pub const MAX_IMAGE_BYTES: usize = 1 << 30;
/// Deepest nesting of arrays and hashes read by default.
pub const MAX_DEPTH_LEVELS: usize = 256;
/// Most values (scalars, arrays and hashes together) in an image read by default.
pub const MAX_VALUES_COUNT: usize = 16 * 1024 * 1024;

/// Limits of the reader; going over one is an error that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_field_names)]
pub struct Limits {
    /// Largest image, in bytes. Never more than `u32::MAX`, whatever is set here.
    pub max_image_bytes: usize,
    /// Deepest nesting; 1 is a flat array. Reading is recursive: a level costs native stack.
    pub max_depth_levels: usize,
    /// Most values in all.
    pub max_values_count: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_image_bytes: MAX_IMAGE_BYTES,
            max_depth_levels: MAX_DEPTH_LEVELS,
            max_values_count: MAX_VALUES_COUNT,
        }
    }
}

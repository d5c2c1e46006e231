//! Finding the end of a JSON text while it comes in, without parsing it.

/// Counts brackets outside of strings.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Bytes looked at.
    at: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Looks at what is new in `text`; whether the outermost bracket is closed.
    pub(super) fn advance(&mut self, text: &[u8]) -> bool {
        while let Some(&byte) = text.get(self.at) {
            self.at += 1;
            if self.in_string {
                self.string_byte(byte);
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }

    fn string_byte(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_wherever_the_text_is_cut() {
        let text = br#"{"a":"}\"}","b":[{},1]}"#;
        for cut in 0..text.len() {
            let mut scan = Scan::default();
            assert!(!scan.advance(&text[..cut]), "at {cut}");
            assert!(scan.advance(text), "at {cut}");
        }
    }
}

//! Labels: text → a 16-bit number that a record can hold.

use crate::base::sync::{Mutex, lock};
use std::collections::HashMap;

/// Interned text; 0 is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Label(pub u16);

impl Label {
    /// No label.
    pub const NONE: Self = Self(0);
    /// What every further text becomes when all numbers are given.
    pub const OTHER: Self = Self(u16::MAX);
}

#[derive(Debug, Default)]
struct Interned {
    numbers: HashMap<Box<str>, u16>,
    texts: Vec<Box<str>>,
}

/// All labels of the process. Takes a lock; callers keep the number.
#[derive(Debug, Default)]
pub struct Labels(Mutex<Interned>);

impl Labels {
    /// The number of a text; the same text has the same number for ever.
    #[must_use]
    pub fn intern(&self, text: &str) -> Label {
        let mut interned = lock(&self.0);
        if let Some(number) = interned.numbers.get(text) {
            return Label(*number);
        }
        let number = u16::try_from(interned.texts.len() + 1).unwrap_or(u16::MAX);
        if number == u16::MAX {
            return Label::OTHER;
        }
        interned.texts.push(text.into());
        interned.numbers.insert(text.into(), number);
        Label(number)
    }

    /// The text of a number; `None` for no label.
    #[must_use]
    pub fn text(&self, label: Label) -> Option<String> {
        if label == Label::OTHER {
            return Some("(other)".into());
        }
        let index = usize::from(label.0).checked_sub(1)?;
        lock(&self.0).texts.get(index).map(|text| text.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::{Label, Labels};

    #[test]
    fn the_same_text_has_the_same_number_and_reads_back() {
        let labels = Labels::default();
        let (a, b) = (labels.intern("frames"), labels.intern("rows"));
        assert_ne!(a, b);
        assert_eq!(labels.intern("frames"), a);
        assert_eq!(labels.text(b).as_deref(), Some("rows"));
        assert_eq!(labels.text(Label::NONE), None);
    }

    #[test]
    fn labels_beyond_the_last_number_become_other() {
        let labels = Labels::default();
        for number in 0..65_534 {
            assert_ne!(labels.intern(&number.to_string()), Label::OTHER);
        }
        assert_eq!(labels.intern("one too many"), Label::OTHER);
        assert_eq!(labels.text(Label::OTHER).as_deref(), Some("(other)"));
        assert_ne!(labels.intern("7"), Label::OTHER);
    }
}

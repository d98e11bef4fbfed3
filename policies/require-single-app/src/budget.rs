//! How much work one judgement may be.

use std::cell::Cell;

/// The work that one process may be, in bytes that are read or built. People's texts take a hundredth of it.
pub(crate) const OF_A_PROCESS: usize = 4 << 20;

/// The work that all processes of a request may be.
pub(crate) const OF_A_REQUEST: usize = 16 << 20;

/// What a step costs beside the bytes that it reads.
const STEP: usize = 32;

/// Work that is left. A text of a few lines can double a value, or call itself, without end.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<usize>,
    is_spent: Cell<bool>,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Budget { left: Cell::new(bytes), is_spent: Cell::new(false) }
    }

    /// Pays for one step and this many bytes; false when nothing is left, from then on always.
    pub(crate) fn spend(&self, bytes: usize) -> bool {
        match self.left.get().checked_sub(bytes.saturating_add(STEP)) {
            Some(left) if !self.is_spent.get() => self.left.set(left),
            _ => self.is_spent.set(true),
        }
        !self.is_spent.get()
    }

    /// Whether something was not done for want of it.
    pub(crate) fn is_spent(&self) -> bool {
        self.is_spent.get()
    }

    pub(crate) fn left(&self) -> usize {
        if self.is_spent.get() { 0 } else { self.left.get() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_stays_spent() {
        let budget = Budget::new(100);
        assert!(budget.spend(30) && !budget.spend(30) && !budget.spend(0));
        assert!(budget.is_spent());
        assert_eq!(budget.left(), 0);
        assert!(!Budget::new(100).spend(usize::MAX));
    }
}

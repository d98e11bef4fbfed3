//! Answers that are remembered for a run: a hundred pods of one image ask its registry once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::capabilities::{Answer, Question, Source};

/// A source that is asked each question once. Whoever asks meanwhile waits for the same answer.
pub(super) struct Memo<S> {
    source: S,
    known: Mutex<HashMap<Question, Arc<OnceLock<Answer>>>>,
}

impl<S: Source> Memo<S> {
    pub(super) fn new(source: S) -> Self {
        Memo { source, known: Mutex::default() }
    }
}

impl<S: Source> Source for Memo<S> {
    fn answer(&self, question: &Question) -> Answer {
        let place = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(question.clone()).or_default().clone()
        };
        place.get_or_init(|| self.source.answer(question)).clone()
    }

    fn now(&self) -> Option<i64> {
        self.source.now()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::capabilities::CapabilityError;

    struct Counting(AtomicUsize);

    impl Source for Counting {
        fn answer(&self, _: &Question) -> Answer {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            Err(CapabilityError::Unanswered(count.to_string()))
        }
    }

    #[test]
    fn a_question_is_asked_once_whoever_asks() {
        let memo = Memo::new(Counting(AtomicUsize::new(0)));
        let ask = |host: &str| memo.answer(&Question::DnsLookupHost { host: host.to_owned() });
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| ask("a"));
            }
        });
        // Failures too: a run sees one state of the world.
        assert_eq!(ask("a"), Err(CapabilityError::Unanswered("0".to_owned())));
        assert_eq!(ask("b"), Err(CapabilityError::Unanswered("1".to_owned())));
    }
}

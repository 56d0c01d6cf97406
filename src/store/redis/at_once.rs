//! Several questions on their way at the same time.

use std::{future::poll_fn, pin::Pin, task::Poll};

/// The answers, in the order of the questions, when the last one has come.
pub(super) async fn at_once<F: Future>(questions: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut slots: Vec<Slot<F>> = questions
        .into_iter()
        .map(|question| Slot::Asked(Box::pin(question)))
        .collect();
    poll_fn(|cx| {
        let mut all = true;
        for slot in &mut slots {
            if let Slot::Asked(question) = slot {
                match question.as_mut().poll(cx) {
                    Poll::Ready(answer) => *slot = Slot::Answered(answer),
                    Poll::Pending => all = false,
                }
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let answers = slots.into_iter().filter_map(|slot| match slot {
        Slot::Answered(answer) => Some(answer),
        Slot::Asked(_) => None,
    });
    answers.collect()
}

enum Slot<F: Future> {
    Asked(Pin<Box<F>>),
    Answered(F::Output),
}

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

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_questions() {
        let (says, hears): (Vec<_>, Vec<_>) = (0..100).map(|_| oneshot::channel()).unzip();
        let asked = tokio::spawn(at_once(hears));
        for (number, say) in says.into_iter().enumerate().rev() {
            say.send(number).unwrap();
            tokio::task::yield_now().await;
        }
        let answers: Vec<_> = asked
            .await
            .unwrap()
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(answers, (0..100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn nothing_asked_is_answered_at_once() {
        assert_eq!(at_once::<std::future::Ready<()>>([]).await, []);
        assert_eq!(at_once([ready(1), ready(2)]).await, [1, 2]);
    }
}

//! Several futures polled together.

use std::{future::poll_fn, pin::Pin, task::Poll};

/// The outputs in the order of the futures, once all are ready.
pub(super) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut joined: Vec<Joined<F>> = futures
        .into_iter()
        .map(|future| Joined::Pending(Box::pin(future)))
        .collect();
    poll_fn(|cx| {
        let mut all = true;
        for slot in &mut joined {
            if let Joined::Pending(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => *slot = Joined::Ready(output),
                    Poll::Pending => all = false,
                }
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let outputs = joined.into_iter().filter_map(|slot| match slot {
        Joined::Ready(output) => Some(output),
        Joined::Pending(_) => None,
    });
    outputs.collect()
}

enum Joined<F: Future> {
    Pending(Pin<Box<F>>),
    Ready(F::Output),
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn outputs_come_in_the_order_of_the_futures() {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..100).map(|_| oneshot::channel()).unzip();
        let joined = tokio::spawn(join_all(receivers));
        for (number, sender) in senders.into_iter().enumerate().rev() {
            sender.send(number).unwrap();
            tokio::task::yield_now().await;
        }
        let outputs = joined.await.unwrap().into_iter().map(Result::unwrap);
        assert_eq!(outputs.collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn no_futures_are_ready_immediately() {
        assert_eq!(join_all::<std::future::Ready<()>>([]).await, []);
        assert_eq!(join_all([ready(1), ready(2)]).await, [1, 2]);
    }
}

//! Runs slow jobs off the async threads, with bounded concurrency.

use std::{
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::PasswordError;

/// Runs at most as many jobs at once as there are slots, on tokio's blocking threads. Clones share
/// the slots.
#[derive(Clone)]
pub(super) struct Slots {
    pub(super) free: Arc<Semaphore>,
    count: u32,
    pub(super) max_wait: Duration,
}

impl Slots {
    pub(super) fn new(slots: NonZeroUsize, max_wait: Duration) -> Self {
        let slots = slots.get().min(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(slots)),
            count: u32::try_from(slots).unwrap_or(u32::MAX),
            max_wait,
        }
    }

    /// One slot per core.
    pub(super) fn per_core(max_wait: Duration) -> Self {
        Self::new(
            thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            max_wait,
        )
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        self.run_in(1, job).await
    }

    /// Runs a job that takes the memory of several slots. All of them are enough for any job.
    pub(super) async fn run_in<T: Send + 'static>(
        &self,
        slots: u32,
        job: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let runtime = Handle::try_current().map_err(|_| PasswordError::NoRuntime)?;
        let slot = self.take(slots).await?;
        let job = runtime.spawn_blocking(move || {
            // The job owns the slot, since it continues if the client disconnects and its request
            // is dropped.
            let _slot = slot;
            job()
        });
        match job.await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => Err(PasswordError::Panicked),
            Err(_shutting_down) => Err(PasswordError::NoRuntime),
        }
    }

    async fn take(&self, slots: u32) -> Result<OwnedSemaphorePermit, PasswordError> {
        let slots = slots.clamp(1, self.count);
        if let Ok(slot) = Arc::clone(&self.free).try_acquire_many_owned(slots) {
            return Ok(slot);
        }
        let slot = Arc::clone(&self.free).acquire_many_owned(slots);
        // tokio panics if the runtime has no timers, and offers no other way to detect that.
        let slot = catch_unwind(AssertUnwindSafe(|| timeout(self.max_wait, slot)))
            .map_err(|_| PasswordError::NoRuntime)?;
        match slot.await {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(PasswordError::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::mpsc,
        task::{Context, Poll, Waker},
    };

    use tokio::runtime;

    use super::*;

    const WAIT: Duration = Duration::from_secs(5);

    fn slots(slots: usize) -> Slots {
        Slots::new(NonZeroUsize::new(slots).unwrap(), WAIT)
    }

    fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test(start_paused = true)]
    async fn caller_without_a_slot_is_busy_after_a_short_wait() {
        let slots = slots(1);
        let taken = slots.take(1).await.unwrap();
        let start = tokio::time::Instant::now();
        let refused = slots.run(|| Ok(())).await;
        assert!(matches!(refused, Err(PasswordError::Busy)));
        assert_eq!(start.elapsed().as_secs(), WAIT.as_secs());
        drop(taken);
        slots.run(|| Ok(())).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_caller_gets_the_freed_slot() {
        let slots = slots(1);
        let taken = slots.take(1).await.unwrap();
        let mut waiting = pin!(slots.run(|| Ok("done")));
        assert!(
            waiting
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        drop(taken);
        assert_eq!(waiting.await.unwrap(), "done");
    }

    #[tokio::test]
    async fn concurrent_jobs_do_not_exceed_the_slots() {
        use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

        let slots = slots(2);
        let (running, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs = (0..200).map(|_| {
            let (slots, running, peak) = (slots.clone(), Arc::clone(&running), Arc::clone(&peak));
            tokio::spawn(async move {
                let job = move || {
                    peak.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                    thread::yield_now();
                    running.fetch_sub(1, SeqCst);
                    Ok(())
                };
                slots.run(job).await
            })
        });
        for job in jobs.collect::<Vec<_>>() {
            job.await.unwrap().unwrap();
        }
        assert!(peak.load(SeqCst) <= 2);
        assert_eq!(slots.free.available_permits(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn job_of_several_slots_waits_for_all_of_them() {
        let slots = slots(3);
        let taken = slots.take(1).await.unwrap();
        slots.run_in(2, || Ok(())).await.unwrap();
        for needed in [3, u32::MAX] {
            let refused = slots.run_in(needed, || Ok(())).await;
            assert!(matches!(refused, Err(PasswordError::Busy)), "{needed}");
        }
        drop(taken);
        for needed in [0, 3, u32::MAX] {
            slots.run_in(needed, || Ok(())).await.unwrap();
        }
        assert_eq!(slots.free.available_permits(), 3);
    }

    #[tokio::test]
    async fn cancelled_request_keeps_its_slot_until_the_job_ends() {
        let slots = slots(1);
        let (finish, finished) = mpsc::channel::<()>();
        let cancelled = poll_once(slots.run(move || {
            let _ = finished.recv();
            Ok(())
        }));
        assert!(cancelled.is_pending());
        assert_eq!(slots.free.available_permits(), 0);
        finish.send(()).unwrap();
        slots.run(|| Ok(())).await.unwrap();
    }

    #[tokio::test]
    async fn panicking_job_is_an_error_and_returns_its_slot() {
        let slots = slots(1);
        let outcome = slots.run::<()>(|| panic!("injected")).await;
        assert!(matches!(outcome, Err(PasswordError::Panicked)));
        assert_eq!(slots.free.available_permits(), 1);
        assert_eq!(slots.run(|| Ok("next")).await.unwrap(), "next");
    }

    #[test]
    fn missing_runtime_is_an_error() {
        let outcome = poll_once(slots(1).run(|| Ok(())));
        assert!(matches!(
            outcome,
            Poll::Ready(Err(PasswordError::NoRuntime))
        ));
    }

    #[test]
    fn runtime_shutdown_is_an_error_and_returns_the_slot() {
        let slots = slots(1);
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        let handle = runtime.handle().clone();
        drop(runtime);
        let _inside = handle.enter();
        let outcome = poll_once(slots.run(|| Ok(())));
        assert!(matches!(
            outcome,
            Poll::Ready(Err(PasswordError::NoRuntime))
        ));
        assert_eq!(slots.free.available_permits(), 1);
    }

    #[test]
    fn runtime_without_timers_is_an_error_only_if_waiting() {
        let slots = slots(1);
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            slots.run(|| Ok(())).await.unwrap();
            let _taken = slots.take(1).await.unwrap();
            let outcome = slots.run(|| Ok(())).await;
            assert!(matches!(outcome, Err(PasswordError::NoRuntime)));
        });
    }

    #[tokio::test(start_paused = true)]
    async fn extreme_wait_or_number_of_slots_does_not_panic() {
        for max_wait in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            let slots = Slots::new(NonZeroUsize::MAX, max_wait);
            slots.run(|| Ok(())).await.unwrap();
        }
        let slots = Slots::new(NonZeroUsize::MIN, Duration::ZERO);
        let _taken = slots.take(1).await.unwrap();
        assert!(matches!(
            slots.run(|| Ok(())).await,
            Err(PasswordError::Busy)
        ));
        let slots = Slots::new(NonZeroUsize::MIN, Duration::MAX);
        let _taken = slots.take(1).await.unwrap();
        assert!(poll_once(slots.run(|| Ok(()))).is_pending());
    }
}

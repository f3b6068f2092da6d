import Dispatch

/// Runs an actor's jobs on a serial Dispatch queue, so that timers, callbacks and the actor's own
/// methods share one order.
final class DispatchQueueExecutor: SerialExecutor {
  let queue: DispatchQueue

  init(label: String, qos: DispatchQoS) {
    queue = DispatchQueue(label: label, qos: qos)
  }

  func enqueue(_ job: UnownedJob) {
    queue.async {
      job.runSynchronously(on: self.asUnownedSerialExecutor())
    }
  }

  /// Lets `assumeIsolated` succeed in blocks that were put on the queue directly.
  func checkIsolated() {
    dispatchPrecondition(condition: .onQueue(queue))
  }
}

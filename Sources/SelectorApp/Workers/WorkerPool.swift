import Dispatch
import Foundation
import Synchronization
@_spi(ExperimentalCustomExecutors) @_spi(ExperimentalScheduling) import _Concurrency

/// The threads the tasks of this process run on. While there is nothing to do, none of them wakes.
///
/// The pool that Swift's tasks have by default, Dispatch's, looks once a second whether its threads
/// are blocked, from the first task to the end of the process: a selector that lies open all day
/// would wake the processor 86,400 times for nothing. This one looks only while a job waits.
///
/// - Note: Choosing the executor of all tasks is not yet public in Swift 6.3, hence the `@_spi`.
final class WorkerPool: TaskExecutor, SchedulingExecutor {
  /// The executor of no actor. Its two words are 0 (`SerialExecutorRef::generic()` in the runtime's
  /// `Executor.h`), and no other initializer gives them.
  private static let generic = unsafeBitCast((0, 0), to: UnownedSerialExecutor.self)
  /// 100 ms: how long a job waits for threads that are blocked before it gets another one. Long
  /// enough for what computes, and not felt much when somebody forgot that a call blocks.
  private static let patience = Duration.milliseconds(100)
  /// More threads than this do not help: those there wait for one another.
  private static let limit = 64

  private let state: Mutex<State>
  private let timetable = Timetable()

  /// - Parameter width: How many threads it has while none of them is blocked.
  init(width: Int = max(2, ProcessInfo.processInfo.activeProcessorCount)) {
    state = Mutex(State(width: width))
  }

  /// Runs all tasks of the process from now on; to be called once, before the first is made.
  static func install() { _createExecutors(factory: Executors.self) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    carryOut(state.withLock { $0.add(job) })
  }

  func enqueue<C: Clock>(
    _ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C
  ) {
    guard let delay = delay as? Duration else {
      preconditionFailure("Tasks sleep by clocks that count in Duration.")
    }
    let job = UnownedJob(job)
    timetable.add(after: delay) { [self] in carryOut(state.withLock { $0.add(job) }) }
  }

  func enqueue<C: Clock>(
    _ job: consuming ExecutorJob, at instant: C.Instant, tolerance: C.Duration?, clock: C
  ) {
    enqueue(job, after: clock.now.duration(to: instant), tolerance: tolerance, clock: clock)
  }

  private func carryOut(_ step: Step) {
    switch step {
    case .none: break
    case .wake(let worker): worker.signal()
    case .start: Thread.detachNewThread { self.work() }
    case .watch(let taken):
      timetable.add(after: Self.patience) { [self] in
        let steps = state.withLock { $0.look(taken: taken, limit: Self.limit) }
        for step in steps { carryOut(step) }
      }
    }
  }

  private func work() {
    Thread.current.name = "worker"
    let sleeper = DispatchSemaphore(value: 0)
    while true {
      switch state.withLock({ $0.next(for: sleeper) }) {
      case .run(let job): job.runSynchronously(on: Self.generic)
      case .rest: sleeper.wait()
      case .end: return
      }
    }
  }
}

/// What ``WorkerPool/install()`` gives the runtime: its own main thread, and our threads.
private enum Executors: ExecutorFactory {
  static var mainExecutor: any MainExecutor { PlatformExecutorFactory.mainExecutor }
  static let defaultExecutor: any TaskExecutor = WorkerPool()
}

extension WorkerPool {
  /// What is to be done after a job came.
  fileprivate enum Step {
    case none
    case wake(DispatchSemaphore)
    case start
    /// In a while, whether more jobs were taken than these.
    case watch(taken: Int)
  }

  /// What a worker does next.
  fileprivate enum Turn {
    case run(UnownedJob)
    case rest
    case end
  }

  fileprivate struct State {
    let width: Int
    private var waiting: [UnownedJob] = []
    /// How many at the front of ``waiting`` were taken.
    private var gone = 0
    private var idle: [DispatchSemaphore] = []
    private var workers = 0
    private var taken = 0
    private var isWatched = false

    init(width: Int) { self.width = width }

    private var isEmpty: Bool { gone == waiting.count }

    mutating func add(_ job: UnownedJob) -> Step {
      waiting.append(job)
      if let worker = idle.popLast() { return .wake(worker) }
      if workers < width {
        workers += 1
        return .start
      }
      guard !isWatched else { return .none }
      isWatched = true
      return .watch(taken: taken)
    }

    mutating func next(for sleeper: DispatchSemaphore) -> Turn {
      guard !isEmpty else {
        waiting.removeAll(keepingCapacity: waiting.count < 1024)
        gone = 0
        guard workers <= width else {
          workers -= 1
          return .end
        }
        idle.append(sleeper)
        return .rest
      }
      let job = waiting[gone]
      gone += 1
      taken += 1
      return .run(job)
    }

    /// After a while in which jobs waited: another worker if none was taken.
    mutating func look(taken before: Int, limit: Int) -> [Step] {
      guard !isEmpty else {
        isWatched = false
        return []
      }
      guard taken == before, workers < limit else { return [.watch(taken: taken)] }
      workers += 1
      return [.start, .watch(taken: taken)]
    }
  }
}

import Dispatch
import Testing

@testable import SelectorApp

/// The threads of tasks and their timetable.
struct WorkerPoolTests {
  @Test func everyTaskRuns() async {
    let pool = WorkerPool(width: 2)
    let sum = await withTaskGroup(of: Int.self) { group in
      for number in 0..<1000 {
        group.addTask(executorPreference: pool) {
          await Task.yield()
          return number
        }
      }
      return await group.reduce(0, +)
    }
    #expect(sum == 499_500)
  }

  /// What waits behind threads that are all blocked gets one that is not.
  @Test(.timeLimit(.minutes(1))) func blockedThreadsAreMadeUpFor() async {
    let pool = WorkerPool(width: 2)
    let gate = DispatchSemaphore(value: 0)
    let blocked = (0..<5).map { _ in Task(executorPreference: pool) { Self.block(on: gate) } }
    let freed = Task(executorPreference: pool) { for _ in 0..<5 { gate.signal() } }
    await freed.value
    for task in blocked { await task.value }
    let after = await Task(executorPreference: pool) { 1 }.value
    #expect(after == 1)
  }

  @Test func sleepersWakeInTheOrderOfTheirTimes() async {
    let pool = WorkerPool(width: 2)
    let woken = await withTaskGroup(of: Int.self) { group in
      for wait in [300, 100, 200] {
        group.addTask(executorPreference: pool) {
          let start = ContinuousClock.now
          try? await Task.sleep(for: .milliseconds(wait))
          #expect(ContinuousClock.now - start >= .milliseconds(wait))
          return wait
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(woken == [100, 200, 300])
  }

  @Test func actionsOfOneTimeKeepTheirOrder() async {
    let timetable = Timetable()
    let (steps, continuation) = AsyncStream.makeStream(of: Int.self)
    timetable.add(after: .milliseconds(50)) { continuation.finish() }
    for number in 0..<10 { timetable.add(after: .zero) { continuation.yield(number) } }
    timetable.add(after: .seconds(-1)) { continuation.yield(10) }
    var seen: [Int] = []
    for await step in steps { seen.append(step) }
    #expect(seen.sorted() == Array(0...10))
    #expect(seen.filter { $0 < 10 } == Array(0..<10))
  }

  /// Not a function of the task, whose thread must not be blocked knowingly.
  private static func block(on gate: DispatchSemaphore) { gate.wait() }
}

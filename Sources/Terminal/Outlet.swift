import Synchronization

/// Where what happened goes: kept until somebody wants it, then handed over by the thread that saw
/// it, so that a key wakes nobody on its way.
final class Outlet: Sendable {
  private struct State {
    var kept: [[TerminalEvent]] = []
    var isFinished = false
    var sink: (@Sendable ([TerminalEvent]?) -> Void)?
  }

  private let state = Mutex(State())

  /// Hands over what was kept, then whatever comes.
  func open(_ sink: @escaping @Sendable ([TerminalEvent]?) -> Void) {
    state.withLock { state in
      state.kept.forEach(sink)
      state.kept = []
      if state.isFinished { sink(nil) } else { state.sink = sink }
    }
  }

  func put(_ batch: [TerminalEvent]) {
    state.withLock { state in
      if let sink = state.sink { sink(batch) } else { state.kept.append(batch) }
    }
  }

  /// Nothing comes after this.
  func finish() {
    state.withLock { state in
      state.sink?(nil)
      state.sink = nil
      state.isFinished = true
    }
  }
}

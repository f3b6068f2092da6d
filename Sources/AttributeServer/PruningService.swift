import Logging
import ServiceLifecycle
import Wire

/// Prunes at the start and then once a day, step by step, so that requests go on between.
struct PruningService: Service {
  static let interval = Duration.seconds(24 * 60 * 60)

  private let database: ServerDatabase
  private let clock: ServerClock
  private let ledger: Ledger
  private let logger: Logger

  init(_ arguments: ServerArguments) {
    database = arguments.database
    clock = arguments.clock
    ledger = arguments.ledger
    logger = arguments.logger
  }

  func run() async throws {
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      do {
        try await prune()
      } catch {
        // Nothing is lost by it: what was to go is still there tomorrow.
        logger.warning("Pruning failed", metadata: ["code": "\(error.code.rawValue)"])
      }
      do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
      } catch {
        return
      }
    }
  }

  /// One round over all accounts; what is left when the server stops goes the next time.
  func prune() async throws(Problem) {
    let accounts = try await database.run { store throws(Problem) in
      try store.read { try $0.accounts() }
    }
    var total = LedgerPruning()
    for account in accounts {
      var more = true
      while more, !Task.isCancelled, !Task.isShuttingDownGracefully {
        let step = try await database.run { [ledger, clock] store throws(Problem) in
          try ledger.prune(account, now: clock.now(), in: &store)
        }
        total.add(step)
        more = step.more
      }
    }
    guard total != LedgerPruning() else { return }
    logger.info(
      "Pruned",
      metadata: [
        "commits": "\(total.commits)", "bytes": "\(total.bytes)",
        "snapshots": "\(total.snapshots)", "offers": "\(total.offers)",
      ])
  }
}

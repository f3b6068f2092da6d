import AttributeServer
import Dispatch
import Foundation
import Logging
import PushServer
import ServiceLifecycle

/// Runs the servers of this process until SIGTERM or SIGINT, then lets them finish.
struct Supervisor {
  /// Requests under way may take this long after the signal; the whole stop stays under 10 s.
  private static let finishLimit = Duration.seconds(6)

  let logger: Logger
  var attributes: AttributeService?
  var push: PushService?
  var certificate: ServerCertificate?

  /// Returns when everything has stopped; throws what made a server stop by itself.
  func run() async throws {
    // A reload asks for the certificate; where there is none, there is nothing to do.
    if certificate == nil { signal(SIGHUP, SIG_IGN) }
    var configuration = ServiceGroupConfiguration(
      services: attributes.map { [$0] } ?? [Idle()], logger: quiet)
    configuration.maximumGracefulShutdownDuration = Self.finishLimit
    let group = ServiceGroup(configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      let watch = certificate.map { certificate in
        Task { await certificate.watch(logger: logger) }
      }
      defer { watch?.cancel() }
      tasks.addTask { try await group.run() }
      tasks.addTask {
        await Self.stopSignal()
        guard !Task.isCancelled else { return }
        logger.info("Stopping")
        await group.triggerGracefulShutdown()
        try await push?.drain()
      }
      // Whichever ends first: both are done after a signal, the first alone after a failure.
      do {
        try await tasks.next()
        if !Task.isCancelled { await group.triggerGracefulShutdown() }
      } catch {
        tasks.cancelAll()
        throw error
      }
      try await tasks.waitForAll()
    }
  }

  private var quiet: Logger {
    var logger = logger
    logger.logLevel = max(logger.logLevel, .warning)
    return logger
  }

  /// Returns at the first SIGTERM or SIGINT, or when cancelled.
  private static func stopSignal() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    let queue = DispatchQueue(label: "higginsd.signals")
    let sources = [SIGTERM, SIGINT].map { number in
      // The source sees it; the default action would end the process first.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { continuation.yield() }
      source.resume()
      return source
    }
    for await _ in stream { break }
    for source in sources { source.cancel() }
  }
}

/// Stands for the Attribute Server in a process that has none.
private struct Idle: Service {
  func run() async throws {
    try await gracefulShutdown()
  }
}

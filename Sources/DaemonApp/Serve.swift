import ArgumentParser
import AttributeServer
import Foundation
import Logging
import PushServer

/// `higginsd serve`: both servers in one process, joined by the same web-service API as when apart.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Attribute Server and Push Service in one process.",
    discussion: "EXAMPLE: higginsd serve --data ~/higginsd --registration invite")

  @OptionGroup var attributeOptions: AttributeOptions
  @OptionGroup var pushOptions: PushOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let settings = try common.settings()
    let logger = try common.logger(settings)
    let protection = try common.protection(settings)
    let plan = try attributeOptions.plan(settings, protection)
    let listen = try pushOptions.addresses(settings, protection)
    // Both ends of that connection are this process.
    try listen.signals.require(
      protection.isBehindProxy ? protection : .none, option: "signals-listen")
    let backend = try Backend(plan, logger: logger)
    try await backend.announceInvite(plan.registration)
    let key = SecretKey.make()
    let (push, refusals) = try await failing {
      let configuration = try pushOptions.configuration(
        settings, listen, protection, serviceKey: key,
        tokens: try pushTokenVerifier(of: backend.database),
        revocations: try revocationFeed(of: backend.database),
        channels: backend.folder.path + "/" + Channels.fileName, logger: logger)
      return (
        try await PushService.start(configuration), RefusalMetrics(configuration.metrics)
      )
    }
    let signals = "http://\(listen.signals.urlHost):\(push.signalPort)"
    let ready = ReadyAnnouncement(
      path: settings.text("ready-file", common.readyFile), listen: plan.listen, logger: logger,
      protection: protection, push: listen.devices.pushURL(protection, port: push.devicePort),
      signals: signals)
    try await backend.run(
      plan, push: push, pushURL: plan.pushURL ?? ":\(push.devicePort)/push",
      signals: SignalTarget(url: signals, serviceKey: key), refusals: refusals, ready: ready,
      logger: logger)
  }
}

/// `higginsd attributes`: the Attribute Server alone.
struct Attributes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The Attribute Server alone.",
    discussion: """
      EXAMPLE: higginsd attributes --data ~/higginsd --push-signals-url http://127.0.0.1:7482 \
      --service-key-file ~/service-key --push-url :7481/push
      """)

  @OptionGroup var attributeOptions: AttributeOptions
  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "The Push Service's web-service API. Without it signals wait in the queue.",
      valueName: "URL"))
  var pushSignalsUrl: String?

  @Option(help: ArgumentHelp("The key both servers share.", valueName: "FILE"), completion: .file())
  var serviceKeyFile: String?

  func run() async throws {
    let settings = try common.settings()
    let logger = try common.logger(settings)
    let plan = try attributeOptions.plan(settings, try common.protection(settings))
    let target = try settings.text("push-signals-url", pushSignalsUrl).map {
      url throws(DaemonError) in
      SignalTarget(
        url: url.hasSuffix("/") ? String(url.dropLast()) : url,
        serviceKey: try SecretKey.read(settings.text("service-key-file", serviceKeyFile)))
    }
    let backend = try Backend(plan, logger: logger)
    try await backend.announceInvite(plan.registration)
    let ready = ReadyAnnouncement(
      path: settings.text("ready-file", common.readyFile), listen: plan.listen, logger: logger,
      protection: plan.protection, push: nil, signals: nil)
    try await backend.run(
      plan, push: nil, pushURL: plan.pushURL, signals: target, ready: ready, logger: logger)
  }
}

/// `higginsd push`: the Push Service alone.
struct Push: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The Push Service alone.",
    discussion: """
      EXAMPLE: higginsd push --attributes-url http://127.0.0.1:7480 --service-key-file ~/service-key
      """)

  @OptionGroup var pushOptions: PushOptions
  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "The Attribute Server, whose keys tokens are checked with.", valueName: "URL"))
  var attributesUrl: String?

  @Option(help: ArgumentHelp("The key both servers share.", valueName: "FILE"), completion: .file())
  var serviceKeyFile: String?

  func run() async throws {
    let settings = try common.settings()
    let logger = try common.logger(settings)
    guard let given = settings.text("attributes-url", attributesUrl) else {
      throw DaemonError.usage("--attributes-url is missing: whose tokens are to be checked?")
    }
    let url = given.hasSuffix("/") ? String(given.dropLast()) : given
    let protection = try common.protection(settings)
    let listen = try pushOptions.addresses(settings, protection)
    let key = try SecretKey.read(settings.text("service-key-file", serviceKeyFile))
    let push = try await failing {
      try await PushService.start(
        try pushOptions.configuration(
          settings, listen, protection, serviceKey: key,
          tokens: pushOptions.verifier(attributesURL: url),
          revocations: { after in
            try await PublishedKeys.revocations(from: url, after: after, serviceKey: key)
          }, logger: logger))
    }
    let ready = ReadyAnnouncement(
      path: settings.text("ready-file", common.readyFile), listen: nil, logger: logger,
      protection: protection, push: listen.devices.pushURL(protection, port: push.devicePort),
      signals: listen.signals.signalsURL(protection, port: push.signalPort))
    try ready.write(port: nil)
    try await Supervisor(
      logger: logger, attributes: nil, push: push, certificate: protection.certificate
    ).run()
  }
}

/// `higginsd invite`: makes a code, also while the server runs.
struct Invite: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a single-use code that lets somebody create an account.",
    discussion: "EXAMPLE: higginsd invite --data ~/higginsd")

  @OptionGroup var folder: FolderOption

  func run() throws {
    let path = try folder.path()
    guard FileManager.default.fileExists(atPath: path) else {
      throw DaemonError.failed("There is no folder \(path); start `higginsd serve` first.")
    }
    print(try failing { try Invites(dataPath: path).make() })
  }
}

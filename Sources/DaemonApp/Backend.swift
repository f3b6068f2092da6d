import ArgumentParser
import AttributeServer
import Foundation
import Logging
import PushServer
import Wire

/// The options of the Attribute Server.
struct AttributeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder where everything is kept; created if missing, readable by you alone.",
      valueName: "DIR"), completion: .directory)
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Where devices reach it, unix:PATH for a socket. Default: 127.0.0.1:7480.",
      valueName: "HOST:PORT"))
  var listen: String?

  @Option(
    help: ArgumentHelp(
      "Where devices reach the Push Service, if not at its port on this server's host.",
      valueName: "URL"))
  var pushUrl: String?

  @Option(
    help: ArgumentHelp(
      """
      Who may create an account: invite, open (loopback only) or closed. Default: open on \
      loopback, else invite.
      """, valueName: "WHO"))
  var registration: String?

  @Flag(help: "Take no changes, for maintenance: devices fetch, and theirs wait.")
  var readOnly = false

  @Option(
    help: ArgumentHelp(
      "What one account's changes and snapshots may add up to. Default: 1024.", valueName: "MIB"))
  var quota: String?

  func plan(_ settings: Settings, _ protection: Protection) throws(DaemonError) -> AttributePlan {
    try protection.requireKnownKey()
    guard let data = settings.text("data", data) else {
      throw .usage("--data is missing: the folder where everything is kept.")
    }
    let listen = try ListenAddress(
      settings.text("listen", listen) ?? "127.0.0.1:7480", option: "listen", takesSocket: true)
    guard listen.socket == nil || protection.tls == nil else {
      throw .usage("--listen on a Unix socket is not encrypted: leave out --tls-certificate.")
    }
    try listen.require(protection, option: "listen")
    // Behind a proxy everyone seems to come from loopback.
    let isPrivate = listen.isLoopback && !protection.isBehindProxy
    let given = settings.text("registration", registration)
    guard let who = Registration(rawValue: given ?? (isPrivate ? "open" : "invite")) else {
      throw .usage("--registration is invite, open or closed; not `\(given ?? "")`.")
    }
    guard who != .open || isPrivate else {
      throw .usage("\(AttributeServerError.openRegistrationBeyondLoopback)")
    }
    return AttributePlan(
      data: data, listen: listen, pushURL: settings.text("push-url", pushUrl), registration: who,
      isReadOnly: try settings.flag("read-only", readOnly), quotaBytes: try quotaBytes(settings),
      protection: protection)
  }

  private func quotaBytes(_ settings: Settings) throws(DaemonError) -> Int {
    guard let given = settings.text("quota", quota) else { return Limits.accountQuotaBytes }
    guard let mebibytes = Int(given), (1...1_048_576).contains(mebibytes) else {
      throw .usage("--quota is a number of MiB from 1 to 1048576; not `\(given)`.")
    }
    return mebibytes * 1_048_576
  }
}

/// The options of the Attribute Server, read and checked.
struct AttributePlan {
  let data: String
  let listen: ListenAddress
  let pushURL: String?
  let registration: Registration
  let isReadOnly: Bool
  let quotaBytes: Int
  let protection: Protection
}

/// The options of the Push Service.
struct PushOptions: ParsableArguments {
  struct Addresses {
    let devices: ListenAddress
    let signals: ListenAddress
  }

  @Option(help: ArgumentHelp("For devices. Default: 127.0.0.1:7481.", valueName: "HOST:PORT"))
  var pushListen: String?

  @Option(
    help: ArgumentHelp(
      "For the Attribute Server. Default: 127.0.0.1:7482.", valueName: "HOST:PORT"))
  var signalsListen: String?

  @Option(
    help: ArgumentHelp(
      "Web pages that may connect, separated by commas. Default: none.", valueName: "ORIGINS"))
  var allowedOrigins: String?

  @Flag(help: "Serve the demo chat at /push_server/.")
  var chatDemo = false

  @Option(
    help: ArgumentHelp(
      "What everybody's first chat message must begin with. Default: nothing.",
      valueName: "FILE"), completion: .file())
  var chatSecretFile: String?

  @Flag(
    name: .customLong("hixie-75"), help: "Speak the WebSocket of 2010 in the chat; loopback only.")
  var hixie75 = false

  @Option(
    help: ArgumentHelp(
      "A TOML file of gateways that wake sleeping devices. Default: none.", valueName: "FILE"),
    completion: .file())
  var gateways: String?

  @Flag(help: "Send back what comes to /push/echo, for conformance suites.")
  var echo = false

  func addresses(
    _ settings: Settings, _ protection: Protection
  ) throws(DaemonError) -> Addresses {
    let devices = try ListenAddress(
      settings.text("push-listen", pushListen) ?? "127.0.0.1:7481", option: "push-listen")
    try devices.require(protection, option: "push-listen")
    let signals = try ListenAddress(
      settings.text("signals-listen", signalsListen) ?? "127.0.0.1:7482", option: "signals-listen")
    try signals.require(protection, option: "signals-listen")
    return Addresses(devices: devices, signals: signals)
  }
}

/// The data of an Attribute Server, opened.
struct Backend {
  let folder: DataFolder
  let database: ServerDatabase
  let invites: Invites

  init(_ plan: AttributePlan, logger: Logger) throws(DaemonError) {
    do throws(AttributeServerError) {
      folder = try DataFolder(path: plan.data)
      database = try ServerDatabase(path: folder.database, logger: logger)
    } catch {
      throw DaemonError(error)
    }
    invites = Invites(dataPath: plan.data)
  }

  /// The first account needs a code too, and there is nobody yet to ask for one.
  func announceInvite(_ registration: Registration) async throws {
    guard registration == .invite, try await !database.hasAccounts(), !invites.hasOpen else {
      return
    }
    let code = try failing { try invites.make() }
    FileHandle.standardOutput.write(Data("The first account needs this invite: \(code)\n".utf8))
  }

  /// Serves until told to stop, then closes the database.
  func run(
    _ plan: AttributePlan, push: PushService?, pushURL: String?, signals: SignalTarget?,
    refusals: RefusalMetrics? = nil, ready: ReadyAnnouncement, logger: Logger
  ) async throws {
    var arguments = ServerArguments(
      database: database, invites: invites, host: plan.listen.host, port: plan.listen.port,
      registration: plan.registration, push: pushURL, signals: signals, control: folder.control,
      socket: plan.listen.socket, tls: plan.protection.tls, keyHashes: plan.protection.keyHashes,
      logger: logger,
      onListening: { port in
        do {
          try ready.write(port: port)
        } catch {
          logger.error("The ready file cannot be written")
        }
      })
    arguments.limits.quotaBytes = plan.quotaBytes
    if let refusals { arguments.onRefusal = refusals.refused }
    arguments.isReadOnly = plan.isReadOnly
    try await failing { [arguments] in
      let attributes = try AttributeService(arguments)
      try await Supervisor(
        logger: logger, attributes: attributes, push: push,
        certificate: plan.protection.certificate
      ).run()
    }
    do {
      try database.close()
    } catch {
      logger.warning("The database was not closed cleanly; it is checked at the next start")
    }
    logger.info("Stopped")
    // Held to the end, so that no other process opens the folder before.
    withExtendedLifetime(folder) {}
  }
}

import ArgumentParser
import Logging

/// What every server command takes.
struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A TOML file with options.", valueName: "FILE"), completion: .file())
  var config: String?

  @Option(
    help: ArgumentHelp(
      "trace, debug, info, notice, warning, error or critical (default: info).",
      valueName: "LEVEL"))
  var logLevel: String?

  @Flag(help: "Write the log as one JSON object a line.")
  var logJson = false

  @Flag(
    help: """
      A proxy with TLS stands in front: allow addresses that other machines reach. Give the \
      certificate it shows as --tls-certificate.
      """)
  var behindProxy = false

  @Option(
    help: ArgumentHelp(
      "The certificate devices see, PEM, with those that vouch for it below.", valueName: "FILE"),
    completion: .file())
  var tlsCertificate: String?

  @Option(
    help: ArgumentHelp(
      "Its private key, PEM. Both are read again on SIGHUP and when they change.",
      valueName: "FILE"), completion: .file())
  var tlsKey: String?

  @Option(
    help: ArgumentHelp(
      "Write where it listens to this file, as JSON, once it does.", valueName: "FILE"),
    completion: .file())
  var readyFile: String?

  func settings() throws(DaemonError) -> Settings { try Settings(path: config) }

  func protection(_ settings: Settings) throws(DaemonError) -> Protection {
    try Protection(settings, self)
  }

  /// A logger that writes one line a message to stderr.
  func logger(_ settings: Settings) throws(DaemonError) -> Logger {
    let text = settings.text("log-level", logLevel) ?? "info"
    guard let level = Logger.Level(rawValue: text) else {
      throw .usage("`\(text)` is no log level; use debug, info, warning or error.")
    }
    let json = try settings.flag("log-json", logJson)
    return Logger(label: "higginsd") { _ in LineLogHandler(level: level, json: json) }
  }
}

import ArgumentParser
import Foundation
import Storage
import Sync
import Transport
import Vault
import Wire

/// `higgins doctor`: needs neither passphrase nor profile, and changes nothing.
struct DoctorCommand: AsyncParsableCommand, Sendable {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check profile, server, TLS, push, clock, terminal, clipboard and memory.",
    discussion: """
      EXAMPLE: higgins doctor
      EXAMPLE: higgins doctor --server https://sync.example

      One line each, with the cure where something is wrong. Nothing is changed, and nothing is sent \
      that names you. Exit codes: 0 all works; 1 something does not.
      """)

  @Option(
    help: ArgumentHelp("Check this server instead of the profile's.", valueName: "url"))
  var server: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let console = SystemConsole()
    let code = await Execution.reporting(console) { try await self.examine(at: console) }
    try Execution.exitIfFailed(code)
  }

  func examine(at console: any Console) async throws -> Int32 {
    let environment = ProcessInfo.processInfo.environment
    var findings: [Finding] = []
    let settings = profile(&findings)
    if let server {
      findings += await Self.server(server, pin: nil, instance: nil)
    } else if let settings {
      findings += await Self.server(
        settings.server, pin: settings.pin, instance: settings.instance)
    }
    findings += [
      Doctor.terminal(.current(environment)), Doctor.clipboard(.current(environment)),
      Doctor.memory(.current()),
    ]
    if output.json {
      for finding in findings { try await console.record(finding) }
    } else {
      try await console.line(Lines.table(findings.map(\.row)))
    }
    return findings.contains { $0.state == .failed } ? Failure.Code.failed.rawValue : 0
  }

  /// What the profile's settings say, which need no passphrase.
  private func profile(_ findings: inout [Finding]) -> ProfileSettings? {
    do {
      let folder = try options.folder()
      guard folder.exists else {
        findings.append(
          .warning(
            "profile", "There is none in \(folder.data)",
            cure: "`higgins init` makes an account, `higgins join` joins one."))
        return nil
      }
      let settings = try folder.readSettings()
      // Read for the sake of their permissions.
      for file in [folder.keyring, folder.deviceKey] { _ = try folder.readFile(file) }
      findings.append(.good("profile", folder.data))
      return settings
    } catch {
      findings.append(.failed("profile", Failure(error).sentence, cure: nil))
      return nil
    }
  }

  private static func server(
    _ text: String, pin: Digest32?, instance: InstanceID?
  ) async -> [Finding] {
    let address: ServerAddress
    let client: AttributeClient
    do {
      address = try ServerAddress(text)
      client = try AttributeClient(
        address: address, trust: .of(pin: pin), digest: { Digest32.sha256($0) })
    } catch {
      return [.failed("server", Failure(error).sentence, cure: nil)]
    }
    var findings: [Finding] = []
    let asked = Device.wallClock
    let info = await answer(of: client, &findings, instance: instance)
    let answered = Device.wallClock
    if let tls = await certificate(of: address, pin: pin) { findings.append(tls) }
    guard let info else { return findings }
    do throws(ServiceFailure) {
      findings.append(.good("push", "A WebSocket opens at \(try await client.examinePush(info))"))
    } catch {
      findings.append(Doctor.failure("push", error))
    }
    // The answer was on its way half of the time.
    // The server may say any time.
    let (offset, overflow) = info.serverTime.subtractingReportingOverflow((asked + answered) / 2)
    findings.append(Doctor.clock(offset: overflow ? .min : offset))
    return findings
  }

  private static func answer(
    of client: AttributeClient, _ findings: inout [Finding], instance: InstanceID?
  ) async -> ServerInfo? {
    let clock = ContinuousClock()
    let start = clock.now
    do throws(ServiceFailure) {
      let info = try await client.info()
      guard instance == nil || instance == info.instance else {
        findings.append(
          .failed(
            "server", "Another Attribute Server answers at \(client.address) (\(info.instance))",
            cure: "Correct the address; this device knows another."))
        return nil
      }
      let wait = Int((clock.now - start) / .milliseconds(1))
      findings.append(.good("server", "\(client.address) answers within \(wait + 1) ms"))
      return info
    } catch {
      findings.append(Doctor.failure("server", error))
      return nil
    }
  }

  /// Nil where there is none: over plaintext, and where nobody answers.
  private static func certificate(of address: ServerAddress, pin: Digest32?) async -> Finding? {
    guard address.isSecure else {
      return .good("tls", "Not needed: http never leaves this machine")
    }
    let now = Device.wallClock
    do throws(ServiceFailure) {
      let found = try await AttributeClient.examine(
        address, pin: pin, now: now, digest: { Digest32.sha256($0) })
      return found.map { Doctor.certificate($0, pinned: pin != nil, now: now) }
    } catch {
      return nil
    }
  }
}

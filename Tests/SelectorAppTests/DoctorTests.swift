import ArgumentParser
import Foundation
import Storage
import Sync
import Testing
import Transport
import Wire

@testable import SelectorApp

/// The words of `higgins doctor` for what it may find.
@Suite struct DoctorTests {
  private static let now: Int64 = 1_800_000_000_000
  private static let day: Int64 = 86_400_000

  private static func tls(
    _ verdict: ServerIntroduction.Verdict, days: Int64 = 100, pinned: Bool = false
  ) -> Finding {
    Doctor.certificate(
      ServerIntroduction(
        key: .zero, validFrom: 0, expiresAt: now + days * day, verdict: verdict),
      pinned: pinned, now: now)
  }

  @Test func eachVerdictOnACertificateHasItsLineAndCure() {
    #expect(
      Self.tls(.trusted)
        == .good("tls", "The certificate is trusted, for 100 days more"))
    #expect(Self.tls(.trusted, days: -5, pinned: true).state == .good)
    #expect(Self.tls(.trusted, days: 13).state == .warning)
    #expect(Self.tls(.expired, days: -3).text == "The certificate ended 3 days ago")
    let bad: [ServerIntroduction.Verdict] = [
      .otherKey, .expired, .notYetValid, .otherHost, .unknownAuthority,
    ]
    for verdict in bad {
      let finding = Self.tls(verdict)
      #expect(finding.state == .failed && finding.cure != nil, "\(verdict)")
    }
    #expect(Set(bad.map { Self.tls($0).text }).count == bad.count)
    #expect(Self.tls(.otherKey).text.contains(Digest32.zero.fingerprint))
  }

  @Test func aClockIsJudgedByThirtySeconds() {
    #expect(Doctor.clock(offset: 29_999).state == .good)
    #expect(Doctor.clock(offset: -29_999).state == .good)
    #expect(Doctor.clock(offset: 30_000).text == "30 s behind the server's")
    #expect(Doctor.clock(offset: -90_000).text == "90 s before the server's")
    #expect(Doctor.clock(offset: -90_000).state == .warning)
  }

  @Test func aTerminalIsJudged() {
    var facts = TerminalFacts(term: "xterm")
    #expect(Doctor.terminal(facts) == .good("terminal", "xterm, 80x24, UTF-8"))
    facts.columns = 79
    #expect(Doctor.terminal(facts).state == .warning)
    facts.isUTF8 = false
    #expect(Doctor.terminal(facts).text == "The locale is not UTF-8")
    facts.isDescribed = false
    #expect(Doctor.terminal(facts).state == .failed)
    facts.term = "dumb"
    #expect(Doctor.terminal(facts).text == "TERM is dumb")
    facts.isTerminal = false
    #expect(Doctor.terminal(facts).state == .warning)
  }

  @Test func clipboardAndMemoryAreJudged() {
    #expect(Doctor.clipboard(ClipboardFacts(routes: [.tool(.xclip)])).state == .good)
    #expect(Doctor.clipboard(ClipboardFacts(routes: [.terminal])).state == .warning)
    #expect(Doctor.clipboard(ClipboardFacts()).state == .failed)
    #expect(Doctor.memory(MemoryFacts(lockableBytes: 1 << 20, isDumpable: false)).state == .good)
    #expect(Doctor.memory(MemoryFacts(lockableBytes: 65536, isDumpable: false)).state == .failed)
    #expect(Doctor.memory(MemoryFacts(lockableBytes: .max, isDumpable: true)).state == .failed)
  }

  @Test func whereMemoryCannotBeLockedThePersonIsToldAtTheStart() async throws {
    let profile = try TestProfile()
    try profile.write()
    let poor = try Device.open(
      profile.folder, memory: MemoryFacts(lockableBytes: 65536, isDumpable: false))
    let told = await poor.opening.map(\.text)
    #expect(told.count == 1 && told[0].contains("only 64 KiB of memory may be locked"))
    await poor.stop(flush: .zero)
    let usual = try Device.open(
      profile.folder, memory: MemoryFacts(lockableBytes: 8 << 20, isDumpable: false))
    #expect(await usual.opening.isEmpty)
    await usual.stop(flush: .zero)
  }

  @Test func aProfileWhoseServerIsAwayIsExamined() async throws {
    let profile = try TestProfile()
    try profile.write()
    let console = TestConsole()
    let command = try DoctorCommand.parse(["--home", profile.home, "--profile", "home"])
    #expect(try await command.examine(at: console) == 1)
    let lines = console.output.split(separator: "\n").map(String.init)
    func line(_ check: String) -> String { lines.first { $0.contains(" \(check) ") } ?? "" }
    #expect(line("profile").hasPrefix("ok "))
    #expect(
      line("server").hasSuffix(
        "It cannot be used: connection refused. Start higginsd there, or correct host and port."))
    #expect(line("tls").hasPrefix("ok "))
    // What others may read is found, and said.
    #expect(chmod(profile.folder.keyring, 0o644) == 0)
    let second = TestConsole()
    #expect(try await command.examine(at: second) == 1)
    #expect(second.output.hasPrefix("failed "))
  }

  @Test func withoutAProfileTheServerThatIsNamedIsExamined() async throws {
    let home = NSTemporaryDirectory() + "higgins-doctor-\(UUID().uuidString.prefix(8))"
    let console = TestConsole()
    let command = try DoctorCommand.parse(["--home", home, "--server", "ftp://x", "--json"])
    #expect(try await command.examine(at: console) == 1)
    let lines = console.output.split(separator: "\n")
    #expect(lines.first?.contains(#""check":"profile""#) == true)
    #expect(
      lines.contains { $0.contains(#""check":"server""#) && $0.contains("no server address") })
    #expect(!FileManager.default.fileExists(atPath: home), "nothing is made")
  }
}

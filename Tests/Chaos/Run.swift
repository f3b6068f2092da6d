import Foundation
import Glibc

/// One run of scenarios on one stage: draws what happens, notes what is answered, collects what
/// must not be.
final class Run {
  /// How a person sees a scenario again.
  struct Origin {
    let seed: UInt64
    let rounds: Int
  }

  let stage: Stage
  let origin: Origin
  let isLong: Bool
  /// Values drawn are numbered on from those it knows.
  var journal = Journal() {
    didSet { tokens = max(tokens, journal.order.count) }
  }
  var dice: Dice
  private(set) var findings: [Finding] = []
  private(set) var kills = 0
  private(set) var faults = 0
  private(set) var scenario = "proof"
  var round = 0
  private var tokens = 0
  private var checks = 0

  init(stage: Stage, origin: Origin, isLong: Bool) {
    self.stage = stage
    self.origin = origin
    self.isLong = isLong
    dice = Dice(seed: origin.seed)
  }

  static func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  private var moment: String { "\(scenario), round \(round)" }

  func find(_ fact: String, at moment: String? = nil) {
    let finding = Finding(moment: moment ?? self.moment, fact: fact)
    findings.append(finding)
    Self.say("FOUND  \(finding.moment): \(finding.fact)")
  }

  /// In the order they were played; a finding's moment begins with its scenario.
  var scenariosWithFindings: [String] {
    Scenario.all.map(\.name).filter { name in
      findings.contains { $0.moment.hasPrefix(name + ",") }
    }
  }

  func countKill() { kills += 1 }
  func countFault() { faults += 1 }

  // MARK: scenarios

  /// Plays a scenario from dice of its own, so that it repeats alone; then all heals and is
  /// checked.
  func play(_ scenario: Scenario) throws {
    self.scenario = scenario.name
    round = 0
    dice = Dice(seed: origin.seed ^ Self.hash(scenario.name))
    let started = ContinuousClock.now
    let before = (journal.order.count, findings.count)
    try scenario.play(self)
    try heal()
    let seconds = (ContinuousClock.now - started).components.seconds
    Self.say(
      "\(findings.count == before.1 ? "ok   " : "BAD  ")  \(scenario.name): \(round) rounds, \(journal.order.count - before.0)"
        + " values, \(seconds) s")
  }

  /// FNV-1a.
  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  // MARK: values

  /// What a value is written with: a command that was started, and what it will mean.
  struct Writing {
    let child: Child
    let entry: Journal.Entry
    let value: String
  }

  /// Draws a value and starts `higgins set` for it; the value is given by ``Child/write(_:)``.
  func begin(on device: String, skipsSync: Bool? = nil, after words: [String] = []) throws
    -> Writing
  {
    let context = Stage.contexts[dice.number(0...Stage.contexts.count - 1)]
    let token = drawToken()
    // Some go over an earlier value; ten at the most, which every history keeps.
    let label = dice.happens(0.3) ? "\(device)-\(tokens / 30)-again" : token
    let length = dice.happens(0.1) ? 20_000 : dice.number(0...300)
    let skips = skipsSync ?? dice.happens(0.3)
    let child = try stage.start(
      device,
      ["set", context, label, "-", "--shown", "--type", "text"] + (skips ? ["--no-sync"] : []),
      input: .held, after: words)
    let entry = Journal.Entry(
      token: token, device: device, context: context, label: label, moment: moment,
      outcome: .open)
    return Writing(
      child: child, entry: entry,
      value: length == 0 ? token : token + " " + String(repeating: "x", count: length))
  }

  /// A value for a person to type.
  func drawToken() -> String {
    tokens += 1
    return "v\(String(origin.seed, radix: 16))-\(tokens)"
  }

  /// Notes what became of a value that was typed.
  func note(_ token: String, on device: String, context: String, isAcknowledged: Bool) {
    journal.note(
      Journal.Entry(
        token: token, device: device, context: context, label: "typed", moment: moment,
        outcome: isAcknowledged ? .acknowledged : .open))
  }

  /// Makes a context of one attribute on "mobile" that comes first in every list; its name.
  func makeFirstContext() throws -> String {
    let token = drawToken()
    let name = "0-screen-\(999_999 - tokens)"
    try stage.need(
      "mobile", ["set", name, "typed", "-", "--shown", "--type", "text"],
      input: .text(token + "\n"))
    note(token, on: "mobile", context: name, isAcknowledged: true)
    return name
  }

  /// Notes how a writing ended, and whether it may end so.
  ///
  /// - Parameter allowed: exit codes beside 0 that the fault explains.
  func end(_ writing: Writing, allowed: Set<Int32>, wasCut: Bool = false) {
    var entry = writing.entry
    let status = writing.child.status ?? writing.child.cut()
    let complaint = writing.child.complaint
    if status == 0 {
      entry.outcome = .acknowledged
    } else if complaint.contains("Nothing was changed") {
      entry.outcome = .refused
    }
    journal.note(entry)
    judge(
      status, complaint, of: "set of \(entry.token) on \(entry.device)", allowed: allowed,
      wasCut: wasCut)
  }

  /// SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV: a program that broke down by itself.
  private static let breakdowns: Set<Int32> = [132, 133, 134, 135, 136, 139]

  func judge(
    _ status: Int32, _ complaint: String, of what: String, allowed: Set<Int32>,
    wasCut: Bool = false
  ) {
    if Self.breakdowns.contains(status) {
      find("\(what) crashed with signal \(status - 128): \(complaint)")
    } else if status != 0, !(wasCut && status == 137), !allowed.contains(status) {
      find("\(what) ended with \(status): \(complaint)")
    }
  }

  /// Sets one value, start to end.
  @discardableResult
  func set(
    on device: String, skipsSync: Bool? = nil, allowed: Set<Int32> = [], after words: [String] = [],
    seconds: Double = 60
  ) throws -> Int32 {
    let writing = try begin(on: device, skipsSync: skipsSync, after: words)
    writing.child.write(writing.value)
    if writing.child.awaitEnd(seconds: seconds) == nil {
      find("set of \(writing.entry.token) on \(device) did not end within \(Int(seconds)) s")
      writing.child.cut()
    }
    end(writing, allowed: allowed, wasCut: true)
    return writing.child.status ?? -1
  }

  // MARK: checks

  /// What a device acknowledged is on it, whoever it can reach.
  func checkOwn(_ device: String) throws {
    checks += 1
    do {
      for finding in try Checker(stage: stage, journal: journal).own(device) {
        find(finding.fact, at: finding.moment)
      }
    } catch {
      find("after \(moment): \(error)")
    }
  }

  /// Ends every fault, lets every device synchronise, and checks everything.
  func heal() throws {
    stage.weather.becomes(.calm)
    stage.signalServer(SIGCONT)
    if stage.server == nil || stage.server?.status != nil { try stage.startServer() }
    for device in Stage.devices { try stage.hold(device) }
    for _ in 0..<2 { for device in Stage.devices { try synchronise(device) } }
    checks += 1
    do {
      for finding in try Checker(stage: stage, journal: journal).all() {
        find(finding.fact, at: finding.moment == "?" ? nil : finding.moment)
      }
    } catch {
      find("\(error)")
    }
    for device in Stage.devices { try checkStatus(device) }
    stage.letGoOfAll()
    for end in stage.takeUnexpectedEnds() {
      judge(
        end.status == 0 ? -1 : end.status, end.complaint,
        of: "the process that held the profile of \(end.device)", allowed: [])
    }
    try checkServer()
  }

  private func synchronise(_ device: String) throws {
    var last: (status: Int32?, text: String, complaint: String) = (nil, "", "")
    for attempt in 0..<8 {
      last = try stage.run(device, ["sync"])
      if last.status == 0 { return }
      // An alarm that broken bytes raised stands until a person has seen it.
      if last.status == 6 { _ = try stage.run(device, ["alarms", "clear"]) }
      usleep(UInt32(250_000 * (attempt + 1)))
    }
    find("\(device) does not synchronise after all is healed: \(last.complaint)")
  }

  private func checkStatus(_ device: String) throws {
    struct Status: Decodable {
      struct Alarm: Decodable { let code, text: String }
      let waiting: Int
      let alarms: [Alarm]
    }
    let (code, text, complaint) = try stage.run(device, ["status", "--json"])
    guard let status = try? JSONDecoder().decode(Status.self, from: Data(text.utf8)) else {
      return find("status of \(device) ended with \(code ?? -1): \(complaint)")
    }
    if status.waiting > 0 { find("\(status.waiting) changes of \(device) still wait") }
    for alarm in status.alarms { find("\(device) raises \(alarm.code): \(alarm.text)") }
  }

  /// The server stops in order, and its files have no faults.
  private func checkServer() throws {
    if let status = stage.stopServer() {
      if status != 0 { find("higginsd, asked to end, ended with \(status)") }
    } else {
      find("higginsd, asked to end, did not within 15 s")
    }
    if stage.hasServerCheck {
      let check = try Child(
        "\(stage.products)/higginsd", ["check", "--data", stage.serverData],
        environment: ProcessInfo.processInfo.environment, input: .none,
        scratch: stage.path("check"))
      let status = check.awaitEnd(seconds: 60)
      if status == 64 {
        stage.hasServerCheck = false
        Self.say("       this higginsd has no check")
      } else if status != 0 {
        find("higginsd check ended with \(status ?? -1): \(check.text) \(check.complaint)")
      }
    }
    try stage.startServer()
  }

  var summary: String {
    "\(journal.order.count) values, \(journal.acknowledged) acknowledged; \(kills) kills, \(faults)"
      + " faults, \(checks) checks; \(findings.count) findings"
  }
}

import Foundation
import Sync
import Transport
import Wire

/// Judges what was found; everything here is a function of facts.
enum Doctor {
  /// 30 s: a one-time code lives as long, and a clock this far off gives a wrong one.
  static let clockMilliseconds: Int64 = 30_000
  static let expiryMilliseconds: Int64 = 14 * 86_400_000
  /// 1 MiB holds every key and what is shown of values.
  static let lockedBytes: UInt64 = 1024 * 1024

  static func certificate(
    _ introduction: ServerIntroduction, pinned: Bool, now: Int64
  ) -> Finding {
    let days = (introduction.expiresAt - now) / 86_400_000
    let fingerprint = introduction.key.fingerprint
    switch introduction.verdict {
    case .trusted where pinned: return .good("tls", "The server has the key this device knows")
    case .trusted where introduction.expiresAt - now < expiryMilliseconds:
      return .warning(
        "tls", "The certificate ends in \(Lines.count(Int(days), "day"))",
        cure: "Renew it; higginsd takes the new one without a restart.")
    case .trusted: return .good("tls", "The certificate is trusted, for \(days) days more")
    case .otherKey:
      return .failed(
        "tls", "The server has another key than the one this device knows: \(fingerprint)",
        cure:
          "Compare with the log of higginsd. If it differs, somebody stands in between. If it is"
          + " the server's new key, give the server its old one back, or join again with a new code."
      )
    case .expired:
      return .failed(
        "tls", "The certificate ended \(Lines.count(Int(-days), "day")) ago",
        cure: "Renew it; higginsd takes the new one without a restart.")
    case .notYetValid:
      return .failed(
        "tls", "The certificate is not valid before \(Lines.time(introduction.validFrom))",
        cure: "Set the clock of this machine, which says \(Lines.time(now)).")
    case .otherHost:
      return .failed(
        "tls", "The certificate is for another host",
        cure: "Use the name the certificate has, or have one made for this name.")
    case .unknownAuthority:
      return .failed(
        "tls", "No authority this machine knows vouches for the certificate",
        cure:
          "Compare its key with the log of higginsd, and give it as --server-key to init, or join"
          + " with a code: \(fingerprint)")
    }
  }

  /// - Parameter offset: the server's clock before this one's, in milliseconds.
  static func clock(offset: Int64) -> Finding {
    let seconds = offset.magnitude / 1000
    guard offset.magnitude >= clockMilliseconds else {
      return .good("clock", "Less than \(seconds + 1) s from the server's")
    }
    return .warning(
      "clock", "\(seconds) s \(offset > 0 ? "behind" : "before") the server's",
      cure: "Set the clock: one-time codes and times of changes are wrong.")
  }

  static func failure(_ check: String, _ failure: ServiceFailure) -> Finding {
    switch failure {
    case .unreachable(let reason), .unintelligible(let reason):
      return .failed(check, "It cannot be used: \(reason)", cure: Cure.of(reason))
    case .refused(let problem):
      return .failed(
        check, "It refuses: \(problem.detail ?? problem.title)",
        cure: "Look into the log of higginsd.")
    }
  }

  static func terminal(_ facts: TerminalFacts) -> Finding {
    guard facts.isTerminal else {
      return .warning(
        "terminal", "Input or output is no terminal",
        cure: "Start higgins in a terminal; commands work without.")
    }
    guard let term = facts.term, !term.isEmpty, term != "dumb" else {
      return .failed(
        "terminal", "TERM is \(facts.term ?? "not set")",
        cure: "Set TERM to what the terminal is, for example xterm-256color.")
    }
    guard facts.isDescribed else {
      return .failed(
        "terminal", "This machine has no description of \(term)",
        cure: "Install ncurses-term, or set TERM=xterm-256color.")
    }
    guard facts.isUTF8 else {
      return .warning(
        "terminal", "The locale is not UTF-8", cure: "Set LC_ALL=C.UTF-8 or another UTF-8 locale.")
    }
    guard facts.columns >= 80, facts.rows >= 24 else {
      return .warning(
        "terminal", "\(term), \(facts.columns)x\(facts.rows)",
        cure: "Make it 80x24 or larger: screens are cut otherwise.")
    }
    return .good("terminal", "\(term), \(facts.columns)x\(facts.rows), UTF-8")
  }

  static func clipboard(_ facts: ClipboardFacts) -> Finding {
    let cure = "Install wl-clipboard or xclip, or use tmux."
    switch facts.routes.first {
    case .tool(let tool): return .good("clipboard", "By \(tool.rawValue)")
    case .terminal:
      return .warning(
        "clipboard", "By the terminal (OSC 52), which does not say whether it took it",
        cure: "If nothing arrives, allow OSC 52 in the terminal's settings, or use tmux.")
    case nil: return .failed("clipboard", "There is none here", cure: cure)
    }
  }

  static func memory(_ facts: MemoryFacts) -> Finding {
    guard facts.lockableBytes >= lockedBytes else {
      return .failed(
        "memory", "Only \(facts.lockableBytes / 1024) KiB may be kept out of swap",
        cure: "Raise the limit: `ulimit -l 8192`, or memlock in /etc/security/limits.conf.")
    }
    guard !facts.isDumpable else {
      return .failed(
        "memory", "Other processes of yours can read this one",
        cure: "Start higgins from a file that is executable and readable, without a debugger.")
    }
    return .good("memory", "Keys are kept out of swap, cores and other processes' sight")
  }
}

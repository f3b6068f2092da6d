import Foundation
import Storage
import Sync
import Terminal
import Testing
import Transport
import Vault
import Wire

@testable import SelectorApp

@Suite struct FailureTests {
  private static let table: [(any Error & Sendable, Failure.Code)] = [
    (DeviceError.noProfile, .failed), (DeviceError.alreadyAProfile, .failed),
    (DeviceError.locked, .locked), (DeviceError.damagedProfile(file: "/f"), .failed),
    (DeviceError.pairingExpired, .failed), (DeviceError.pairingDeclined, .failed),
    (DeviceError.notAdmitted, .alarm), (DeviceError.guessedTooOften(seconds: 30), .locked),
    (DeviceError.incompatibleServer(minimum: 2, maximum: 3), .failed),
    (MatchFailure.none(what: "context", query: "q"), .notFound),
    (MatchFailure.several(what: "context", query: "q", candidates: ["a", "b"]), .notFound),
    (ConsoleError.noTerminal("a value"), .usage),
    (ConsoleError.tooLong("Standard input", limit: 3), .failed),
    (ConsoleError.file("/f", operation: "Opening", code: ENOENT), .failed),
    (ConsoleError.exists("/f"), .failed),
    (ControlError.notAnswering(pid: 7), .failed), (ControlError.foreignPeer(user: 7), .failed),
    (ControlError.otherVersion, .failed), (ControlError.malformed, .failed),
    (ControlError.tooLarge(bytes: 9), .failed), (ControlError.gone, .failed),
    (ControlError.tooManyCommands(limit: 16), .failed),
    (ControlError.notForwarded(command: "higgins init"), .failed),
    (ControlError.failed(path: "/s", operation: "Making", code: EACCES), .failed),
    (VaultError.wrongPassphrase, .locked), (VaultError.badSignature, .alarm),
    (VaultError.notAMember(.zero), .alarm), (VaultError.cannotOpen, .alarm),
    (VaultError.parametersOutOfRange(memoryKibibytes: 1, passes: 1), .alarm),
    (VaultError.malformed(field: "kit"), .failed), (VaultError.badChecksum, .failed),
    (VaultError.wrongAccount, .alarm), (VaultError.brokenChain(number: 3), .alarm),
    (VaultError.unknownEpoch(2), .failed), (VaultError.unknownMembership(.zero), .alarm),
    (VaultError.overLimit(limit: "bytes", value: 9), .failed),
    (VaultError.outOfMemory(kibibytes: 65536), .failed),
    (StorageError.invalidProfileName("a/b"), .usage),
    (StorageError.insecure(path: "/f", reason: "other users may read or write it"), .failed),
    (StorageError.heldBy(pid: 7), .failed), (StorageError.missing(path: "/f"), .notFound),
    (StorageError.corrupted(path: "/f", detail: "short"), .failed),
    (StorageError.newerVersion(path: "/f", found: 2, supported: 1), .failed),
    (StorageError.diskFull(path: "/f"), .failed), (StorageError.closed(path: "/f"), .failed),
    (StorageError.doesNotContinue(what: "commit", expected: 2, found: 4), .alarm),
    (StorageError.failed(path: "/f", operation: "reading", code: 5), .failed),
    (ServiceFailure.unreachable(reason: "connection refused"), .offline),
    (ServiceFailure.unintelligible("no JSON"), .offline),
    (ServiceFailure.refused(Problem(.authenticationFailed)), .locked),
    (ServiceFailure.refused(Problem(.authenticationRevoked)), .failed),
    (ServiceFailure.refused(Problem(.accountExists)), .failed),
    (ServiceFailure.refused(Problem(.inviteRequired)), .failed),
    (ServiceFailure.refused(Problem(.mailboxGone)), .failed),
    (ServiceFailure.refused(Problem(.deviceFork)), .alarm),
    (ServiceFailure.refused(Problem(.deviceRolledBack)), .alarm),
    (ServiceFailure.refused(Problem(.protocolTooOld)), .failed),
    (ServiceFailure.refused(Problem(.rateLimited, retryAfterSeconds: 5)), .offline),
    (ServiceFailure.refused(Problem(.quota)), .failed),
    (TransportError.invalidAddress("x", reason: "it starts with https://"), .usage),
    (TransportError.plaintextBeyondLoopback(host: "sync.example"), .usage),
    (TransportError.noSuchHost("sync.example"), .offline),
    (TransportError.wrongServerKey, .alarm), (TransportError.timedOut, .offline),
    (TransportError.protocolViolation(reason: "two answers"), .offline),
    (EditError.unknownContext(.zero), .notFound), (EditError.unknownAttribute(.zero), .notFound),
    (EditError.unknownVersion(.zero), .notFound), (EditError.emptyName, .usage),
    (EditError.overLimit(limit: "bytes of a value", allowed: 9), .failed),
    (EditError.changedSince, .conflict), (EditError.nothingToUndo, .notFound),
    (EditError.expired, .notFound), (DeviceError.membershipMissing(reason: "Why."), .offline),
    (ServiceFailure.refused(Problem(.snapshotRequired)), .offline),
    (EditError.accountDeleted, .failed), (DeviceError.deleted(text: "It was."), .failed),
    (DeviceError.notDeleted, .failed), (DeviceError.anotherName, .failed),
    (DeviceError.serverHasNoPin, .failed), (DeviceError.tooManyServerKeys(limit: 4), .failed),
    (EditError.locked, .locked), (ImportError.notJSON, .failed),
    (TerminalError.notATerminal, .failed), (TerminalError.dumb(term: "dumb"), .failed),
    (TerminalError.unknownTerminal(term: "vt9"), .failed), (TerminalError.alreadyOpen, .failed),
    (TerminalError.system(code: EIO), .failed), (WireError.truncated, .failed),
    (CancellationError(), .failed), (URLError(.badURL), .failed),
  ]

  @Test func everyErrorHasItsExitCode() {
    for (error, code) in Self.table {
      #expect(Failure(error).code == code, "\(error)")
    }
  }

  @Test func everySentenceIsOneLineThatEnds() {
    for (error, _) in Self.table {
      let sentence = Failure(error).sentence
      #expect(sentence.hasSuffix("."), "\(error): \(sentence)")
      #expect(!sentence.contains("\n"), "\(error)")
      #expect(!sentence.contains(".."), "\(error): \(sentence)")
      let first = sentence.unicodeScalars.first
      let begins = first.map {
        $0.properties.isUppercase || "/\"`1234567890".unicodeScalars.contains($0)
      }
      #expect(begins == true || sentence.hasPrefix("sync.example"), "\(error): \(sentence)")
    }
  }

  @Test func aFailureStaysWhatItIs() {
    let failure = Failure(.conflict, "Two values.")
    #expect(Failure(failure) == failure)
  }

  @Test func anUnnamedErrorIsToldByItsTypeAlone() {
    struct Odd: Error { let secret = "hunter2" }
    let sentence = Failure(Odd()).sentence
    #expect(sentence.contains("Odd"))
    #expect(!sentence.contains("hunter2"))
  }

  @Test func aClosedOutputIsSilent() {
    #expect(Failure(ConsoleError.closed) == Failure(.failed, ""))
  }

  @Test func aRetryTimeIsSaid() {
    let problem = Problem(.rateLimited, retryAfterSeconds: 5)
    #expect(
      Failure(problem).sentence
        == "The server refused (rate_limited): Too many requests. What is saved here is safe."
        + " Try again in 5 s.")
  }

  @Test func withoutATerminalTheSelectorNamesThePlainCommands() throws {
    let cases: [(Bool, Bool, String?, String)] = [
      (false, true, "xterm", "this is none"), (true, false, "xterm", "this is none"),
      (true, true, "dumb", "TERM is \"dumb\""), (true, true, nil, "TERM is \"\""),
      (true, true, "", "TERM is \"\""),
    ]
    for (input, output, terminal, part) in cases {
      let failure = try #require(
        Higgins.screenFailure(input: input, output: output, terminal: terminal))
      #expect(failure.code == .failed)
      #expect(failure.sentence.contains(part))
      #expect(failure.sentence.contains("higgins list"))
    }
    #expect(Higgins.screenFailure(input: true, output: true, terminal: "xterm") == nil)
  }
}

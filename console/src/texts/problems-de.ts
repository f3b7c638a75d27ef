/** German twins of the sentences in the planes' tables of errors, by code. The same places in braces are filled in. */
export const problemsDe: Readonly<Record<string, string>> = {
  'database.uncertain':
    'Es ist nicht bekannt, ob die Transaktion festgeschrieben wurde: {reason}. Sehen Sie nach, was da ist, bevor Sie sie wiederholen.',
  'database.busy': 'Die Datenbank ist überlastet: {reason}. Versuchen Sie es noch einmal.',
  'database.full':
    'In die Datenbank lässt sich nicht schreiben: {reason}. Schaffen Sie Platz auf ihrer Platte; geändert wurde nichts.',
  'database.failed': 'Die Datenbank hat abgelehnt: {reason}',
  'database.lost': 'Die Datenbank antwortet nicht: {reason}. Geändert wurde nichts; versuchen Sie es noch einmal.',
  'database.unsynced':
    'Die Platte der Datenbank hat nicht behalten, was sie bekam ({reason}); das zuletzt Geschriebene kann verloren sein. Bis dieser Prozess neu gestartet ist, wird nichts mehr gelesen oder geschrieben; sehen Sie vorher nach der Platte.',
  'database.newer':
    'Die Datenbank {file} hat ein neueres Pelago geschrieben (Schema {found}, bekannt ist hier {known}). Starten Sie jenes, oder aktualisieren Sie dieses.',
  'database.final':
    'Die letzte Migration von {component} ({found}, {name}) hat keinen Rückweg. Spielen Sie eine Sicherung von davor zurück, oder bleiben Sie bei dieser Version.',
  'database.closed': 'Die Datenbank wird gerade geschlossen.',
  'request.invalid': '{path}: {fault}.',
  'request.malformed': 'Der Inhalt ist kein JSON: {reason}.',
  'request.large': 'Der Inhalt ist größer als {limit} Bytes.',
  'request.rate': 'Zu viele Anfragen von Ihnen; warten Sie {retryAfter} s.',
  'request.crowded': 'Der Server hat schon {limit} {what}; warten Sie {retryAfter} s.',
  'request.slow': 'Der Inhalt ist nicht binnen {seconds} Sekunden angekommen.',
  'request.unauthenticated':
    'Es ist nicht bekannt, wer fragt. Melden Sie sich an, unterschreiben Sie die Anfrage, oder senden Sie das Token des Datenordners (Datei api-token).',
  'request.forbidden': '{operation} ist für die Rollen {allowed}; Sie sind {roles}.',
  'request.house':
    '{operation} betrifft, was alle Mandanten dieses Servers teilen; das darf nur, wer ihn betreibt, mit dem Token des Datenordners.',
  'request.head': 'Der Kopf der Anfrage ist nicht lesbar: {reason}.',
  'request.key':
    'Ein Idempotency-Key hat 16 bis 255 Buchstaben, Ziffern und - _ . : + / = und gilt für eine Anfrage allein.',
  'request.reused': 'Unter diesem Idempotency-Key kam schon eine andere Anfrage; machen Sie für jede einen neuen.',
  'request.running':
    'An der Anfrage unter diesem Idempotency-Key wird gearbeitet; fragen Sie in {retryAfter} s wieder.',
  'request.keys': 'Sie haben {limit} Idempotency-Keys der letzten 24 h; warten Sie, bis welche vergessen sind.',
  'request.revision':
    'If-Match muss eine Fassung nennen, wie sie der ETag von {operation} sagt; gekommen ist etwas anderes.',
  'request.unconditional': '{operation} hat keine Fassungen; lassen Sie If-Match weg.',
  'operation.missing': 'Es gibt keine Operation {method} {path}.',
  'operation.unbuilt': '{operation} ist noch nicht gebaut.',
  'operation.late': '{operation} war nicht binnen {seconds} Sekunden getan; ob es noch geschieht, ist nicht bekannt.',
  'answer.invalid': 'Die Antwort auf {operation} ist nicht, wie der Vertrag sagt: {path}: {fault}.',
  'server.failed': 'Etwas Unvorhergesehenes ist misslungen; im Protokoll steht es unter {trace}.',
  'fact.unfit':
    'Das Protokoll nimmt {topic} so nicht: {fault}. Was jedes Thema sagen darf, steht in src/journal/topics.ts.',
  'log.missing': 'Das Protokoll hat keinen Eintrag {sequence}; sein letzter ist {size}.',
  'log.hidden': 'Eintrag {sequence} des Protokolls betrifft einen anderen Mandanten.',
  'log.unheaded': 'Das Protokoll hat keinen signierten Kopf der Größe {size}.',
  'log.older':
    'Die Datenbank hat {size} Einträge des Protokolls, gesehen und signiert wurden aber {kept}: sie wurde in einen älteren Zustand versetzt, oder Einträge wurden entfernt. Haben Sie wissentlich eine Sicherung zurückgespielt, benennen Sie {file} in {file}.restored um und starten neu: das Protokoll geht dann unter neuem Namen weiter und sagt, was fehlt. Sonst heben Sie die Datenbank als Beweis auf.',
  'log.forked':
    'Einträge des Protokolls sind nicht die, die bei Größe {kept} signiert wurden: jemand hat sie in der Datenbank geändert. Heben Sie sie als Beweis auf und spielen Sie eine Sicherung zurück; in {file} liegt der Kopf, der gesehen wurde.',
  'log.foreign':
    'Die Datenbank hält das Protokoll {found}, {file} aber ist von {expected}: es ist eine andere Datenbank, oder ihr Protokoll wurde neu begonnen. Verbinden Sie die richtige; ist die Änderung gewollt, benennen Sie {file} in {file}.restored um und starten neu.',
  'log.damaged':
    'Das Protokoll widerspricht sich: {reason}. Es wird nichts mehr angefügt. Heben Sie die Datenbank als Beweis auf und spielen Sie eine Sicherung zurück.',
  'log.keyless':
    'Dem Schlüsselspeicher fehlt der Schlüssel, mit dem das Protokoll signiert ist: es ist ein anderer oder ein älterer. Legen Sie den richtigen zurück; ist er verloren, benennen Sie {file} in {file}.restored um und starten neu: das Protokoll geht dann unter neuem Namen weiter.',
  'head.damaged':
    'Die Datei {file} enthält keinen signierten Kopf dieses Protokolls: {reason}. Legen Sie sie aus einer Kopie zurück.',
  'work.fenced': 'Ein anderer Prozess hat {job} übernommen, oder die Arbeit wurde beendet; dieser hält an.',
  'job.missing': 'Es gibt keine Arbeit {job}. Alle nennt: pelago jobs',
  'job.lasting':
    '{job} ist Arbeit, die nie endet, und lässt sich nicht beenden; halten Sie die Gateways an, um sie anzuhalten.',
  'job.ended': 'Die Arbeit {job} ist {state}; zu beenden ist nichts mehr.',
  'job.done': 'Die Arbeit {job} hat getan, wofür sie da war; aufzunehmen ist nichts mehr.',
  'job.doubled': 'Die Arbeit {other} tut schon, wofür {job} da war; sehen Sie jener zu.',
  'access.anonymous': 'Anfragen müssen mit einem Zugangsschlüssel unterschrieben sein.',
  'access.malformed': 'Die Unterschrift ist nicht lesbar: {reason}.',
  'access.unknown': 'Es gibt keinen Zugangsschlüssel {id}.',
  'access.signature':
    'Die Unterschrift passt nicht zur Anfrage. Prüfen Sie das Geheimnis und was unterwegs mit der Anfrage geschieht.',
  'access.skewed':
    'Die Uhrzeit der Anfrage und die hier ({now}) liegen mehr als 15 Minuten auseinander; stellen Sie die Uhr.',
  'access.expired': 'Diese vorab unterschriebene Adresse ist seit {at} abgelaufen.',
  'tenant.missing': 'Es gibt keinen Mandanten {tenant}.',
  'tenant.exists': 'Den Mandanten {tenant} gibt es schon.',
  'person.missing': 'In diesem Mandanten heißt niemand {person}.',
  'person.exists': 'In diesem Mandanten gibt es {person} schon.',
  'person.last-owner':
    '{person} ist der letzte Eigentümer des Mandanten. Machen Sie zuerst jemand anderen zum Eigentümer.',
  'access-policy.invalid': '{place} ist nicht lesbar: {reason}.',
  'group.missing': 'In diesem Mandanten gibt es keine Gruppe {group}.',
  'group.exists': 'In diesem Mandanten gibt es die Gruppe {group} schon.',
  'key.missing': 'In diesem Mandanten gibt es keinen Zugangsschlüssel {key}.',
  'key.exists': 'Den Zugangsschlüssel {key} gibt es schon.',
  'key.many':
    '{person} hat {most} Zugangsschlüssel, mehr werden es nicht. Löschen Sie einen, der nicht mehr benutzt wird.',
  'keyring.missing':
    'Ein Geheimnis liegt unter dem Schlüssel {keyring}, den dieses Pelago nicht kennt; starten Sie das neuere.',
  'secret.damaged':
    'Das Geheimnis von {what} lässt sich nicht öffnen: es wurde verändert oder gehört zu einer anderen Datenbank.',
  'person.owner': 'Nur ein Eigentümer macht jemanden zum Eigentümer oder ändert einen.',
  'access-policy.public':
    'Die Regel ließe jeden herein, und der Mandant {tenant} steht der Allgemeinheit nicht offen. Sagen Sie, wen Sie meinen, oder öffnen Sie ihn: pelago tenant set {tenant} --public yes.',
  'tenant.foreign': 'Das tut nur, wer das Gateway betreibt, mit dem Token seines Datenordners.',
  'sts.argument': '{name} ist nicht gültig: {reason}.',
  'sts.unknown': 'STS hat hier keine Aktion {action}.',
  'sts.packed': 'Die Regel der Sitzung hat {percent} % der {most} Zeichen, die sie haben darf.',
  'sts.denied': '{who} darf die Rolle {role} nicht annehmen: {reason}.',
  'sts.identity': 'Das Token der Web-Identität wird nicht angenommen: {reason}.',
  'sts.identity-expired': 'Das Token der Web-Identität ist abgelaufen.',
  'sts.issuer':
    'Die Schlüssel des Ausstellers {issuer} lassen sich nicht holen: {reason}. Versuchen Sie es noch einmal.',
  'access-policy.missing': 'Es gibt keine Regel {policy}.',
  'assumable-role.missing': 'In diesem Mandanten gibt es keine Rolle {role}.',
  'assumable-role.exists': 'In diesem Mandanten gibt es die Rolle {role} schon.',
  'web-issuer.missing': 'Dieser Mandant nimmt keine Token von {issuer}.',
  'access.token': 'Das Token der Sitzung ist nicht gültig: {reason}.',
  'access.token-expired': 'Die befristeten Zugangsdaten sind seit {at} abgelaufen; holen Sie neue.',
  'access.denied': 'Das dürfen Sie nicht: {reason}.',
  'ceremony.missing': 'Diese Anmeldung wurde hier nie begonnen oder ist schon verbraucht; beginnen Sie von vorn.',
  'ceremony.expired': 'Diese Anmeldung wurde vor mehr als {minutes} Minuten begonnen; beginnen Sie von vorn.',
  'ceremony.foreign':
    'Diese Anmeldung wurde für etwas anderes ({purpose}) oder für jemand anderen begonnen; beginnen Sie von vorn.',
  'ceremony.crowded': 'Es sind zu viele Anmeldungen im Gange; versuchen Sie es in ein paar Minuten noch einmal.',
  'attempts.spent': 'Zu viele Versuche; versuchen Sie es in {seconds} Sekunden noch einmal.',
  'passkey.malformed': 'Die Antwort des Passkeys ist nicht lesbar: {reason}.',
  'passkey.type': 'Der Passkey hat auf eine andere Art Frage ({type}) geantwortet als {expected}.',
  'passkey.challenge': 'Der Passkey hat auf eine andere Frage geantwortet.',
  'passkey.origin': 'Der Passkey wurde auf einer Seite von {origin} benutzt; öffnen Sie die Seite dieses Gateways.',
  'passkey.framed':
    'Der Passkey wurde innerhalb einer fremden Seite benutzt; öffnen Sie die Seite dieses Gateways für sich.',
  'passkey.rp': 'Der Passkey hat für einen anderen Namen geantwortet als {rp}, und so heißt dieses Gateway.',
  'passkey.presence': 'Niemand hat den Passkey berührt; versuchen Sie es noch einmal.',
  'passkey.verification':
    'Der Passkey hat nicht geprüft, wer ihn benutzt; richten Sie PIN, Fingerabdruck oder Gesicht ein.',
  'passkey.backup': 'Der Passkey sagt, er sei gesichert, obwohl er das nicht sein kann.',
  'passkey.changed': 'Der Passkey sagt über seine Sicherung etwas anderes, als da er hinterlegt wurde.',
  'passkey.incomplete': 'Der Passkey hat seinen Schlüssel nicht genannt.',
  'passkey.extended': 'Der Passkey hat Erweiterungen beantwortet, nach denen niemand gefragt hat.',
  'passkey.algorithm':
    'Der Passkey unterschreibt mit dem Verfahren {algorithm}; verstanden werden EdDSA, ES256 und RS256.',
  'passkey.key': 'Der Schlüssel des Passkeys ist nicht gültig: {reason}.',
  'passkey.id': 'Der Passkey nennt sich mit zwei verschiedenen Namen.',
  'passkey.attestation': 'Der Passkey bringt eine Erklärung der Art {format}; gefragt ist keine.',
  'passkey.statement': 'Die Erklärung, die der Passkey über sich gibt, stimmt nicht.',
  'passkey.signature': 'Die Unterschrift des Passkeys stimmt nicht.',
  'passkey.unknown':
    'Dieser Passkey ist hier nicht bekannt; nehmen Sie einen anderen, oder bitten Sie die Menschen Ihres Mandanten um Wiederherstellung.',
  'passkey.owner': 'Der Passkey nennt jemand anderen als seinen Besitzer.',
  'passkey.taken': 'Dieser Passkey ist schon hinterlegt.',
  'passkey.many': 'Sie haben schon {most} Passkeys; entfernen Sie zuerst einen.',
  'passkey.missing': 'Sie haben keinen Passkey {id}.',
  'passkey.last': 'Das ist Ihr letzter Passkey; hinterlegen Sie einen anderen, bevor Sie ihn entfernen.',
  'provider.unknown': 'Es gibt keinen Anmeldedienst {provider}; es gibt: {known}.',
  'provider.redirect':
    'Der Anmeldedienst darf niemanden nach {uri} schicken; das ist weder dieses Gateway noch dieser Rechner.',
  'provider.state': 'Die Antwort des Anmeldedienstes gehört zu einer anderen Anmeldung; beginnen Sie von vorn.',
  'provider.refused': 'Der Anmeldedienst hat abgelehnt: {reason}.',
  'provider.code': 'Der Anmeldedienst kennt diesen Code nicht (mehr); beginnen Sie von vorn.',
  'provider.issuer': 'Die Antwort kommt von einem anderen Aussteller, als eingerichtet ist.',
  'provider.audience': 'Das Token ist für jemand anderen bestimmt.',
  'provider.nonce': 'Das Token gehört zu einer anderen Anmeldung.',
  'provider.expired': 'Das Token ist abgelaufen, oder die Uhren gehen auseinander; beginnen Sie von vorn.',
  'provider.signature': 'Das Token ist nicht mit einem Schlüssel des Anmeldedienstes unterschrieben.',
  'provider.algorithm': 'Das Token ist auf eine Art unterschrieben, die nicht vereinbart war.',
  'provider.token': 'Das Token des Anmeldedienstes ist nicht gültig: {reason}.',
  'provider.failed': 'Der Anmeldedienst {provider} lässt sich nicht fragen: {reason}.',
  'provider.uninvited':
    'Der Anmeldedienst kennt Sie, aber niemand hat Sie hierher eingeladen; fragen Sie die Verwaltung Ihres Mandanten.',
  'session.missing': 'Es gibt keine Sitzung {id}.',
  'session.ended': 'Diese Sitzung ist beendet ({reason}); melden Sie sich wieder an.',
  'session.forged': 'Eine Anfrage mit Cookie muss von einer Seite dieses Gateways kommen: {reason}.',
  'session.personless':
    'Das ist für Menschen, die sich angemeldet haben; das Token des Rechners ist niemand. Melden Sie sich zuerst an.',
  'admin.present':
    'Dieser Mandant hat einen Eigentümer, der sich anmelden kann; bitten Sie einen Eigentümer um eine Einladung, oder beginnen Sie eine Wiederherstellung.',
  'admin.code':
    'Dieser Code ist falsch, verbraucht oder zu alt; holen Sie auf dem Rechner einen anderen mit `pelago admin code`.',
  'invitation.code': 'Dieser Code ist falsch, verbraucht oder zu alt; bitten Sie um einen anderen.',
  'invitation.settled':
    '{person} kann sich schon anmelden; wer alle Passkeys verloren hat, beginnt eine Wiederherstellung.',
  'invitation.owner': 'Nur ein Eigentümer darf einen Eigentümer einladen.',
  'enrolment.name': 'Der erste Eigentümer braucht einen Namen: geben Sie mit diesem Code einen an.',
  'login.pending': 'Diese Anmeldung hat noch niemand bestätigt.',
  'login.code': 'Eine Anmeldung mit diesem Code gibt es nicht; sehen Sie noch einmal nach.',
  'recovery.plan': 'Der Plan der Wiederherstellung stimmt nicht: {reason}.',
  'recovery.planless':
    'Ihr Mandant hat nicht gesagt, wer bei der Wiederherstellung hilft; das tut ein Eigentümer mit `pelago recovery plan`.',
  'recovery.missing': 'Eine Wiederherstellung {id} ist nicht im Gange.',
  'recovery.claim': 'Das ist nicht das Geheimnis jener Wiederherstellung.',
  'recovery.helper': 'Das dürfen nur Menschen aus dem Plan der Wiederherstellung, und niemand für sich selbst.',
  'recovery.few': '{approvals} von {needed} Menschen haben zugestimmt; fragen Sie die anderen.',
  'recovery.early': 'Diese Wiederherstellung lässt sich ab {readyAt} abschließen, sofern niemand sie abbricht.',
  'tls.none': '{peer} zeigt kein Zertifikat. Wer hier spricht, muss aufgenommen sein und zeigen, was er dabei bekam.',
  'tls.authority':
    'Das Zertifikat von {peer} hat nicht die Zertifizierungsstelle dieser Föderation ausgestellt: {reason}. Nehmen Sie {peer} hier auf, oder sehen Sie nach, wer unter der Adresse antwortet.',
  'tls.expired':
    'Das Zertifikat von {peer} ist seit {until} abgelaufen. Es erneuert sich von selbst, solange es die Föderation erreicht; dort sagt `pelago doctor`, warum nicht.',
  'tls.early': 'Das Zertifikat von {peer} gilt erst ab {from}. Vergleichen Sie die Uhren.',
  'tls.identity':
    'Das Zertifikat von {peer} ist für {found}. Sehen Sie nach der Adresse oder nach den Dateien, die die andere Seite bekam.',
  'tls.pin':
    'Der Schlüssel von {peer} ist nicht der, den die Föderation aufgenommen hat. Wurde er neu aufgenommen, warten Sie auf das nächste Verzeichnis; sonst steht jemand an seiner Stelle.',
  'certificate.names':
    '{name} ist weder ein DNS-Name noch eine IP-Adresse; dafür lässt sich kein Zertifikat ausstellen.',
  'certificate.identity':
    '{id} ist kein Kurzname aus kleinen Buchstaben, Ziffern und Bindestrichen; dafür lässt sich kein Zertifikat ausstellen.',
  'certificate.key': 'Ein Zertifikat gibt es nur für einen ECDSA-Schlüssel auf P-256: {reason}.',
  'certificate.unreadable':
    'Ein Zertifikat ist nicht lesbar: {reason}. Holen Sie es noch einmal von dort, wo es ausgestellt wurde.',
  'authority.unfit':
    'Die Zertifizierungsstelle der Föderation kann keine Zertifikate ausstellen: {reason}. Legen Sie ihre beiden Dateien aus einer Kopie zurück.',
  'policy.invalid': 'Die Regel ist nicht zu verstehen: {path}: {fault}.',
  'directory.invalid':
    'Das Verzeichnis der Anbieter wird abgelehnt: {reason}. Holen Sie es noch einmal von der Föderation.',
  'bucket.missing': 'Es gibt keinen Bucket {bucket}.',
  'bucket.exists': 'Der Name {bucket} ist vergeben; wählen Sie einen anderen.',
  'bucket.owned': 'Sie haben schon einen Bucket {bucket}.',
  'bucket.filled': 'Im Bucket {bucket} sind noch Objekte oder Uploads; löschen Sie sie zuerst.',
  'bucket.changed':
    'Der Bucket {bucket} wurde inzwischen geändert: er hat die Fassung {revision}, gesehen haben Sie {expected}. Sehen Sie noch einmal nach.',
  'object.missing': 'Im Bucket {bucket} gibt es kein Objekt {key}.',
  'object.precondition': 'Das Objekt ist nicht in dem Zustand, den {condition} verlangt.',
  'object.conflict': 'Ein anderes Schreiben von {key} kam zuvor; versuchen Sie es noch einmal.',
  'object.damaged':
    'Ein Segment des Objekts ist gerade nicht lesbar: {readable} von {needed} nötigen Shards haben gültige Bytes geliefert.',
  'body.short': 'Der Inhalt endete nach {got} von {size} Bytes.',
  'body.long': 'Der Inhalt ist länger als die {size} Bytes, die er angab.',
  'upload.missing': 'Es gibt keinen Upload {upload}; er ist fertig oder abgebrochen.',
  'part.missing': 'Das Objekt hat keinen Teil {number}.',
  'part.invalid': 'Teil {number} wurde nicht hochgeladen, oder mit anderem ETag oder anderer Prüfsumme.',
  'part.order': 'Teile müssen aufsteigend genannt werden.',
  'part.small': 'Teil {number} hat {size} Bytes; alle außer dem letzten brauchen 5 MiB.',
  'policy.unsatisfiable': 'Keine Verteilung erfüllt diese Regel: {reason}',
  'pool.short':
    'Nur {alive} erlaubte Anbieter sind da; die Regel verspricht, den Verlust von {promise} zu überstehen. Bringen Sie Anbieter zurück, oder lockern Sie die Regel.',
  'directory.expired':
    'Das Verzeichnis der Anbieter ist seit {expired} abgelaufen: bis ein frisches da ist, wird nichts Neues abgelegt. Lesen geht weiter.',
  'write.troubled':
    'In jedem von {attempts} Versuchen zu schreiben sind Anbieter ausgefallen; versuchen Sie es noch einmal.',
  'repair.unsafe':
    'Segment {segment} wurde nicht verlegt: am neuen Ort hielte das Versprechen nicht. Es wird noch einmal angesehen.',
  'repair.failed':
    'Segment {segment} ließ sich nicht verlegen: ein Anbieter ist dabei ausgefallen. Es wird noch einmal versucht.',
  'repair.overtaken': 'Segment {segment} hat inzwischen jemand anderes geändert.',
  'pool.full': 'Die erlaubten Anbieter haben keinen Platz mehr; schaffen Sie Platz, oder löschen Sie.',
  'memory.full': 'Es sind zu viele Schreibvorgänge unterwegs; machen Sie langsamer, und versuchen Sie es noch einmal.',
  'commit.lost': 'Das Schreiben dauerte zu lange und wurde aufgegeben; versuchen Sie es noch einmal.',
  'commit.uncertain': 'Es ist nicht bekannt, ob das Schreiben festgehalten ist; lesen Sie, bevor Sie es wiederholen.',
  'shard.exists': 'Der Anbieter {provider} hat schon einen Shard dieses Namens.',
  'shard.missing': 'Der Anbieter {provider} hat diesen Shard nicht.',
  'shard.full': 'Der Anbieter {provider} hat keinen Platz mehr.',
  'shard.denied': 'Der Anbieter {provider} hat die Anfrage abgelehnt: {reason}',
  'shard.unreachable': 'Der Anbieter {provider} antwortet nicht: {reason}',
  'shard.busy': 'Es warten schon zu viele Anfragen auf den Anbieter {provider}.',
  'shard.uncertain': 'Es ist nicht bekannt, ob der Anbieter {provider} den Shard gespeichert hat: {reason}',
  'shard.range': 'Der Shard beim Anbieter {provider} ist kürzer, als verlangt wurde.',
  'shard.corrupt': 'Der Anbieter {provider} hat andere Bytes geliefert, als gespeichert wurden.',
  'key.commitment':
    'Der Schlüssel des Segments {segment} passt nicht zu seiner Zusage; Index oder Schlüsselspeicher sind beschädigt.',
  'key.root':
    'Der Wurzelschlüssel öffnet den Schlüsselspeicher nicht: es ist nicht der, unter dem die Schlüssel eingepackt wurden.',
  'key.lost':
    'Dem Schlüsselspeicher fehlt für diesen Bucket der Schlüssel der Epoche {epoch}; spielen Sie ihn aus seiner Sicherung zurück.',
  'key.unavailable':
    'Der Wurzelschlüssel ist nicht zu erreichen ({reason}), und die nötigen Schlüssel sind nicht im Speicher. Starten Sie, was den Wurzelschlüssel hält, und versuchen Sie es dann noch einmal.',
  'key.busy': 'Der Wurzelschlüssel wird gerade zu oft gefragt; versuchen Sie es in einer Sekunde noch einmal.',
  'key.retired':
    'Der Schlüssel, unter dem dieses Schreiben begann, wurde inzwischen abgelöst; schreiben Sie noch einmal.',
  'key.rotating': 'Die Schlüssel von {scope} werden schon gewechselt; wie weit es ist, sagt `pelago key list`.',
  'disk.exists': 'Die Datei {path} gibt es schon.',
  'disk.full': 'Die Platte ist voll.',
  'port.taken': 'Port {port} auf {address} belegt ein anderes Programm ({use}). {mend}',
  'port.none':
    'Zwischen {from} und {to} ist kein Port frei. Beenden Sie Programme, die dort lauschen, und versuchen Sie es dann noch einmal.',
  'port.denied': 'Dieser Benutzer darf nicht auf Port {port} lauschen. Wählen Sie mit --port einen Port über 1023.',
  'data.locked':
    'Ein anderes Pelago ({holder}) benutzt den Ordner {folder}. Halten Sie es an, oder geben Sie diesem mit --data DIR einen eigenen.',
  'data.foreign':
    'Im Ordner {folder} liegt etwas anderes als Daten von Pelago ({found}). Wählen Sie mit --data DIR einen leeren oder neuen.',
  'data.damaged':
    'Die Datei {file} ist nicht zu verstehen: {reason}. Spielen Sie sie aus einer Kopie zurück, oder beginnen Sie mit --reset von vorn.',
  'data.newer': 'Den Ordner {folder} hat ein neueres Pelago geschrieben (Format {version}). Starten Sie jenes.',
  'data.absent':
    'In {folder} sind keine Daten von Pelago. Starten Sie Pelago zuerst mit `npm start`, oder nennen Sie mit --data DIR seinen Ordner.',
  'data.denied':
    'In den Ordner {folder} lässt sich nicht schreiben: {reason}. Geben Sie diesem Benutzer das Recht dazu, oder wählen Sie mit --data DIR einen anderen.',
  'disk.short':
    'Auf der Platte mit {folder} sind {free} frei; zum Starten braucht Pelago mindestens {needed}. Schaffen Sie Platz, oder wählen Sie mit --data DIR eine andere Platte.',
  'process.died': '{name} ist beim Starten stehen geblieben: {reason}',
  'process.slow': '{name} war nicht binnen {seconds} Sekunden bereit. Sein Protokoll ist {log}.',
  'process.unknown': 'Es gibt keinen Anbieter {name}. Die Anbieter sind: {known}.',
  'gateways.single':
    'Unter {platform} können mehrere Prozesse nicht auf einem Port lauschen; starten Sie mit --gateways 1. Mehrere brauchen Linux.',
  'proxies.network':
    'trustedProxies nennt {network}; das ist weder Adresse noch Netz. Schreiben Sie es wie 10.0.0.0/8 oder 2001:db8::1, und starten Sie neu.',
  'postgres.address':
    'Die Adresse der Datenbank ({where}) ist weder eine URL wie postgres://USER@HOST:5432/DATABASE noch der absolute Pfad einer Datei mit einer solchen.',
  'postgres.password':
    'In der Adresse der Datenbank steht ein Passwort, das andere sehen können. Lassen Sie es weg, und nennen Sie eine Datei, die es enthält: --postgres-password-file FILE.',
  'database.component': 'Es gibt keinen Bestandteil {component}; es gibt: {known}.',
  'keys.beside':
    'Der Schlüsselspeicher darf nicht in der Datenbank des Index liegen ({database}): eine Sicherung des Index würde alles öffnen. Nennen Sie eine andere Datenbank, oder lassen Sie `keys` weg.',
  'role.unknown':
    'Es gibt keine Rolle {role}; eine Konfiguration ist von der Rolle federation, provider, unwrap oder gateway.',
  'root.passphrase':
    'Der Wurzelschlüssel in {file} ist mit einem Passwort versiegelt: {reason}. Nennen Sie die Datei mit dem richtigen.',
  'root.many':
    'Eine Datei hält höchstens {most} Wurzelschlüssel. Nehmen Sie die heraus, die nichts mehr einpacken: pelago root-key retire.',
  'root.unbuilt': 'Ein Wurzelschlüssel durch {kind} ist noch nicht gebaut; nehmen Sie file oder transit.',
  'root.config': 'Ein Wurzelschlüssel der Art {kind} braucht {field} in seiner Konfiguration.',
  'transit.insecure':
    'Der Wurzelschlüssel ginge offen an {url}. Nehmen Sie https oder einen Server auf diesem Rechner.',
  'unwrap.foreign': 'Das Gateway {gateway} will etwas ein- oder auspacken lassen, das kein Schlüssel einer Epoche ist.',
  'offload.lost': 'Der Thread, der eine Prüfsumme rechnete, ist zu Ende: {reason}. Versuchen Sie es noch einmal.',
  'file.missing': 'Es gibt keine Datei {file}.',
  'file.exists': 'Die Datei {file} gibt es schon; nennen Sie eine andere, oder entfernen Sie sie zuerst.',
  'connect.refused':
    'Unter {url} antwortet nichts. Starten Sie Pelago mit `npm start`, und versuchen Sie es dann noch einmal.',
  'connect.slow': '{url} hat nicht binnen {seconds} Sekunden geantwortet. `pelago doctor` findet heraus, warum.',
  'egress.refused':
    '{origin} wird nicht gefragt: {reason}. Nennen Sie den Ursprung in der Konfiguration (egress.origins), wenn er gemeint ist.',
  'egress.failed': '{origin} lässt sich nicht fragen: {reason}.',
  'egress.large': '{origin} antwortet mit mehr als {limit} Bytes.',
  'egress.slow': '{origin} hat nicht binnen {seconds} Sekunden geantwortet.',
  'callback.late': 'Binnen {minutes} Minuten kam niemand vom Anmeldedienst zurück; beginnen Sie von vorn.',
  'endpoint.unreadable':
    '{what} ist nicht lesbar: {reason}. Es muss PEM sein, der Schlüssel unverschlüsselt; holen Sie es noch einmal von dort, wo es ausgestellt wurde.',
  'endpoint.mismatch':
    'Der private Schlüssel gehört nicht zum Zertifikat für {names}. Geben Sie die beiden an, die zusammen gemacht wurden; das Zertifikat des Servers steht zuerst in seiner Datei.',
  'endpoint.expired':
    'Das Zertifikat für {names} ist seit {until} abgelaufen. Holen Sie ein neues, und legen Sie es an seine Stelle.',
  'endpoint.early':
    'Das Zertifikat für {names} gilt erst ab {from}. Sehen Sie nach der Uhr dieses Rechners, oder warten Sie.',
  'endpoint.uncovered':
    'Das Zertifikat ist für {names}, das Gateway heißt aber auch {missing}. Holen Sie eines, das ihn einschließt, oder nehmen Sie den Namen aus `s3.hostnames`.',
  'endpoint.purpose':
    'Das Zertifikat für {names} ist nicht für Server; Programme lehnten es ab. Holen Sie eines für einen TLS-Server.',
  'endpoint.damaged':
    '{what} im Index lässt sich mit den Schlüsseln dieses Gateways nicht öffnen. Wurde der Index ohne seinen Schlüsselspeicher zurückgespielt? Dann löschen Sie die Zeile in endpoint_certificates oder endpoint_accounts, damit es neu gemacht wird.',
  'acme.refused': '{server} lehnt ab ({type}): {detail}',
  'acme.limited': '{server} will weniger Anfragen: {detail} Nach {again} wird wieder gefragt.',
  'acme.busy': '{server} kann gerade nicht antworten (Status {status}): {detail}',
  'acme.answer':
    '{server} antwortet, was RFC 8555 nicht kennt: {reason}. Ist das die Adresse eines ACME-Verzeichnisses?',
  'acme.terms':
    '{server} will seine Bedingungen neu angenommen haben: {detail} Lesen Sie sie, und sagen Sie es dann mit `termsAgreed`.',
  'acme.binding':
    '{server} gibt Konten nur denen, die es kennt. Legen Sie den Schlüssel, den Sie von dort haben, in `certificate.externalAccount`.',
  'acme.profile':
    '{server} hat kein Profil {profile}; es hat: {known}. Ändern Sie `certificate.profile`, oder lassen Sie es weg.',
  'acme.unprovable':
    '{server} bietet für {host} an: {offered}; dieses Gateway antwortet auf {answered}. Ändern Sie `certificate.challenges`; dns-01 ist nicht gebaut.',
  'acme.challenge':
    '{server} hat die Antwort dieses Gateways für {host} durch {challenge} nicht gefunden: {detail} Sehen Sie nach dem DNS-Namen, der Firewall und Port {port} dieses Rechners.',
  'acme.order': '{server} hat die Bestellung aufgegeben: {detail}',
  'acme.slow': '{server} hat das Zertifikat nicht binnen {minutes} Minuten ausgestellt; es wird neu bestellt.',
  'acme.foreign': '{server} hat ein anderes Zertifikat ausgestellt, als bestellt war: {reason}',
  'signature.malformed':
    'Die Unterschrift der Anfrage ist nicht lesbar: {reason}. Wie sie geschrieben wird, sagt RFC 9421.',
  'signature.uncovered': 'Die Unterschrift der Anfrage umfasst {missing} nicht; sie muss {needed} umfassen.',
  'signature.algorithm': 'Die Anfrage ist mit {algorithm} unterschrieben; verlangt ist ecdsa-p256-sha256.',
  'signature.authority':
    'Die Anfrage ist für {stated} unterschrieben, hier aber ist {known}. Fragen Sie unter der Adresse, die Sie bekommen haben.',
  'signature.early':
    'Die Anfrage wurde {seconds} s in der Zukunft unterschrieben. Lassen Sie beide Rechner ihre Uhren über NTP stellen.',
  'signature.expired':
    'Die Unterschrift der Anfrage ist seit {seconds} s abgelaufen. Unterschreiben Sie neu; lassen Sie beide Rechner ihre Uhren über NTP stellen.',
  'signature.lasting': 'Die Unterschrift der Anfrage gälte {seconds} s; erlaubt sind höchstens {most} s.',
  'signature.wrong':
    'Die Unterschrift passt nicht zur Anfrage: Methode, Pfad, Abfrage, Prüfsumme oder Zeiten wurden geändert, oder ein anderer Schlüssel hat unterschrieben.',
  'signature.replayed': 'Eben diese Anfrage kam schon. Unterschreiben Sie eine neue.',
  'signature.crowded': 'Binnen Minuten kamen zu viele unterschriebene Anfragen ({most}); warten Sie {retryAfter} s.',
  'digest.malformed': 'Der Content-Digest der Anfrage ist nicht lesbar; es muss einer aus sha-256 sein (RFC 9530).',
  'digest.wrong': 'Der Inhalt der Anfrage ist nicht der, der unterschrieben wurde.',
  'invitation.unreadable':
    'Das ist kein Code einer Einladung ({reason}). Kopieren Sie alles, was `pelago {kind} invite` gezeigt hat.',
  'invitation.kind': 'Dieser Code ist für die Rolle {kind}: nehmen Sie `pelago {kind} join`.',
  'invitation.wrong': 'Die Föderation kennt keine solche Einladung. Bitten Sie um einen neuen Code.',
  'invitation.expired': 'Die Einladung ist seit {until} abgelaufen. Bitten Sie um einen neuen Code.',
  'invitation.used':
    'Die Einladung hat schon ein anderer Schlüssel benutzt. Waren Sie das nicht, sagen Sie es denen, die Sie eingeladen haben: {member} muss ausgeschlossen werden.',
  'invitation.many':
    'Es sind {most} Einladungen offen. Warten Sie, bis welche ablaufen; das dauert höchstens 24 Stunden.',
  'join.spent': 'Es wurden zu viele Codes versucht, die keine sind; warten Sie {retryAfter} s.',
  'member.id':
    '{member} kann nicht der Name eines Mitglieds sein: so nennt Pelago etwas Eigenes. Wählen Sie einen anderen.',
  'member.enrolled':
    '{member} ist schon aufgenommen. Soll es neue Schlüssel oder eine andere Adresse bekommen, sagen Sie es mit --again; zum Ausschließen: `pelago {kind} revoke {member}`.',
  'member.kind': '{member} ist schon der Name eines Mitglieds der Rolle {kind}. Wählen Sie einen anderen.',
  'member.key': 'Die Schlüssel von {member} werden nicht genommen: {reason}. Treten Sie mit --new-keys bei.',
  'member.endpoint': 'Ein Anbieter sagt, wo er zu erreichen ist und wie viele Bytes er hält: {reason}.',
  'member.missing':
    'Ein Mitglied {member} der Rolle {kind} gibt es nicht. Wer aufgenommen ist, zeigt `pelago member list`.',
  'member.unknown':
    'Als {member} ist mit diesem Schlüssel niemand aufgenommen. So geht es: pelago gateway|provider join CODE.',
  'member.revoked': '{member} wurde ausgeschlossen. Soll es zurückkommen, wird es eingeladen und tritt neu bei.',
  'member.unsigned':
    'Nur ein Mitglied bittet um sein eigenes Zertifikat, mit einer Anfrage, die sein Schlüssel unterschrieben hat.',
  'directory.unfit':
    'Ein Verzeichnis, in dem {reason}, glaubte kein Gateway. Geändert wurde nichts; sagen Sie es anders.',
  'directory.older':
    'Dieses Gateway hat Fassung {version} des Verzeichnisses der Anbieter, ein anderes {newest}: nach einer älteren wird nichts Neues abgelegt. Sie wird alle paar Sekunden geholt; bleibt es dabei, sehen Sie nach, ob dieses Gateway die Föderation erreicht.',
  'quota.exceeded':
    'Das Kontingent ({of}) ist {limits}, und {bytes} Bytes und {objects} Objekte mehr passen nicht. Löschen Sie etwas, oder bitten Sie um ein größeres.',
  'folder.role': 'Der Ordner {folder} gehört {found}. Nennen Sie mit --data DIR einen für {role}.',
  'address.unclear': '{option} muss eine Adresse sein wie {example}; „{given}“ ist keine.',
  'server.elsewhere':
    'Der Ordner {folder} ist der von {found}, dieser Befehl aber fragt {wanted}. Nennen Sie mit --data DIR den Ordner von {wanted}.',
  'gateways.source':
    'Ein Anbieter erfährt auf eine von zwei Arten, welche Gateways er nimmt: `federation`, deren Verzeichnis sie nennt, oder eine eigene Liste `gateways`. Eine davon muss in seiner Konfiguration stehen.',
  'tls.listen':
    '{what} würde ohne TLS auf {address} lauschen, wo andere mitlesen können. Geben Sie ihm ein Zertifikat ({how}), oder lassen Sie es auf 127.0.0.1 lauschen.',
  'tls.ask': '{what} würde ohne TLS unter {url} gefragt, wo andere mitlesen können. Nehmen Sie seine https-Adresse.',
  'tls.files':
    'Der Schlüssel in {key} gehört nicht zum Zertifikat in {certificate}. Legen Sie beide zurück, oder treten Sie neu bei.',
  'endpoint.plain':
    'Der Endpunkt {what} spräche ohne TLS auf {host}, wo andere mitlesen können. Geben Sie dem Gateway ein `certificate` (self-made genügt), oder lassen Sie es auf 127.0.0.1 lauschen.',
  'certificate.incomplete': 'Ein Zertifikat der Art {kind} braucht {field} in der Konfiguration des Gateways.',
  'certificate.terms':
    'Die Stelle unter {directory} stellt Zertifikate denen aus, die ihre Bedingungen annehmen. Lesen Sie sie, und setzen Sie dann `certificate.termsAgreed` auf true.',
  'certificate.wildcard':
    'Ein Zertifikat für jeden Namen unter {name} gibt es nur durch dns-01, und das ist nicht gebaut. Lassen Sie `*.` weg und nehmen Adressen im Pfad, oder geben Sie ein Zertifikat, das Sie anders bestellt haben (Art given).',
  'certificate.address':
    'Für die Adresse {name} wird kein Zertifikat bestellt; setzen Sie einen DNS-Namen an ihre Stelle, oder nehmen Sie die Art self-made.',
  'certificate.challenge':
    'Die Stelle sieht auf Port 443 oder 80 dieses Rechners nach; S3 lauscht auf {port}. Geben Sie `certificate.http` an (Port 80), lassen Sie S3 auf 443 lauschen, oder setzen Sie, wo 443 hierher weitergereicht wird, `certificate.challenges` auf ["tls-alpn-01"].',
  'certificate.changing': 'Die Dateien des Zertifikats sind nicht lesbar: {reason}. Solange wird das letzte gezeigt.',
  'share.invalid':
    'Das ist kein Teil eines Wiederherstellungspakets: {reason}. Tippen Sie ihn noch einmal vom Papier ab.',
  'share.foreign': 'Diese Teile gehören nicht zusammen: {reason}. Nehmen Sie zwei verschiedene Teile eines Pakets.',
  'kit.untested':
    'Bevor ein Wiederherstellungspaket gemacht und geprüft ist, entsteht kein Bucket ({state}): pelago recovery-kit make, dann pelago recovery-kit test. Ohne Paket verliert alles, wer diesen Rechner verliert.',
  'kit.unproved':
    'Was die Teile geöffnet haben, ist nicht, was dieses Gateway vom Paket {kit} behält. Machen Sie ein neues Paket, und prüfen Sie das.',
  'kit.unknown':
    'Dieses Gateway kennt kein Wiederherstellungspaket {kit}: es wurde für ein anderes gemacht, oder bevor sein Index zurückgespielt wurde. Machen Sie ein neues.',
  'kit.altered':
    'Die Datei {file} ist nicht zu gebrauchen: {reason}. Nehmen Sie eine andere Kopie, oder tippen Sie ihren Teil in eine eigene Datei, mit einer ganzen Datei daneben.',
  'kit.mixed': 'Diese Dateien sind aus verschiedenen Wiederherstellungspaketen. Nehmen Sie zwei mit denselben Wörtern.',
  'kit.unopened': 'Das Wiederherstellungspaket öffnet sich nicht: {reason}.',
  'kit.inside':
    'Das Paket ginge mit dem verloren, wofür es da ist: {folder} geht mit dem Rechner verloren. Nennen Sie mit --out DIR einen Ordner anderswo.',
  'root.elsewhere':
    'Der Wurzelschlüssel liegt in keiner Datei dieses Rechners, sondern in {where}: wechseln Sie ihn dort. {how}',
  'root.moved':
    'Der neueste Wurzelschlüssel der Datei ist {file}, das Gateway aber sieht {seen}. Sehen Sie in einer Minute wieder nach.',
  'tls.unenrolled':
    'TLS ist verlangt ({url}), und die Konfiguration nennt keine Dateien einer Aufnahme (`enrolled`). Treten Sie zuerst der Föderation bei.',
}

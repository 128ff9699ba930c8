package io.wayleave.bgp.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.ResourceCodec;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Structured logs on standard error: a line a message, with time, level, the part that speaks, the
 * message, and its key=value pairs, as text or as a JSON object. Libraries that log by SLF4J or
 * java.util.logging come out the same way, from {@code warn} up unless the level is {@code debug};
 * what they say of each try to reach a datastore, at {@code debug} only.
 */
public final class LogSetup {
  /** The least severe message that is written. */
  public enum Level {
    error,
    warn,
    info,
    debug
  }

  /** How a message is written: a line of words and key=value, or a JSON object a line. */
  public enum Format {
    text,
    json
  }

  // java.util.logging forgets the level of a logger that nobody holds.
  private static final Logger OURS = Logger.getLogger("io.wayleave");
  private static final Logger ROOT = Logger.getLogger("");

  /**
   * They tell of each try to connect, at warn or error and with a trace. That a datastore is away
   * our own messages tell, once for each part that feels it.
   */
  private static final List<Logger> TRIES =
      Stream.of("org.apache.zookeeper.ClientCnxn", "org.apache.curator")
          .map(Logger::getLogger)
          .toList();

  private LogSetup() {}

  /** Replaces whatever handlers there are. Call first thing in main, and again for a change. */
  public static void install(Level level, Format format) {
    for (Handler handler : ROOT.getHandlers()) {
      ROOT.removeHandler(handler);
    }
    Handler handler = new ConsoleHandler();
    handler.setLevel(java.util.logging.Level.ALL);
    handler.setFormatter(format == Format.json ? new JsonLines() : new TextLines());
    ROOT.addHandler(handler);
    java.util.logging.Level ours =
        switch (level) {
          case error -> java.util.logging.Level.SEVERE;
          case warn -> java.util.logging.Level.WARNING;
          case info -> java.util.logging.Level.INFO;
          case debug -> java.util.logging.Level.FINE;
        };
    OURS.setLevel(ours);
    for (Logger tries : TRIES) {
      tries.setLevel(level == Level.debug ? null : java.util.logging.Level.OFF);
    }
    ROOT.setLevel(
        level == Level.debug
            ? java.util.logging.Level.INFO
            : level == Level.error
                ? java.util.logging.Level.SEVERE
                : java.util.logging.Level.WARNING);
  }

  /** {@code 2026-01-02T03:04:05.678Z INFO bgp session established peer=10.0.0.1}. */
  static final class TextLines extends Formatter {
    @Override
    public String format(LogRecord record) {
      StringBuilder line = new StringBuilder(160);
      line.append(time(record))
          .append(' ')
          .append(String.format(Locale.ROOT, "%-5s", level(record)));
      line.append(' ').append(part(record)).append(": ").append(formatMessage(record)).append('\n');
      if (record.getThrown() != null) {
        line.append(trace(record.getThrown()));
      }
      return line.toString();
    }
  }

  /** The same as an object; key=value pairs of the message stand in {@code fields} too. */
  static final class JsonLines extends Formatter {
    private static final Pattern PAIR =
        Pattern.compile("(?:^| )([A-Za-z][A-Za-z0-9_.-]*)=(\"[^\"]*\"|[^ ]*)");

    @Override
    public String format(LogRecord record) {
      ObjectNode object = ResourceCodec.jsonMapper().createObjectNode();
      object.put("time", time(record));
      object.put("level", level(record));
      object.put("part", part(record));
      String message = formatMessage(record);
      object.put("message", message);
      Matcher pair = PAIR.matcher(message);
      ObjectNode fields = ResourceCodec.jsonMapper().createObjectNode();
      while (pair.find()) {
        String value = pair.group(2);
        fields.put(
            pair.group(1), value.startsWith("\"") ? value.substring(1, value.length() - 1) : value);
      }
      if (!fields.isEmpty()) {
        object.set("fields", fields);
      }
      if (record.getThrown() != null) {
        object.put("error", trace(record.getThrown()));
      }
      try {
        return ResourceCodec.jsonMapper().writeValueAsString(object) + "\n";
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("a tree of texts can always be written", e);
      }
    }
  }

  private static String time(LogRecord record) {
    Instant instant = record.getInstant().truncatedTo(ChronoUnit.MILLIS);
    String text = instant.toString();
    // Instant leaves out a fraction of zero, which would make columns jump.
    return text.length() == 20 ? text.substring(0, 19) + ".000Z" : text;
  }

  private static String level(LogRecord record) {
    int level = record.getLevel().intValue();
    return level >= java.util.logging.Level.SEVERE.intValue()
        ? "ERROR"
        : level >= java.util.logging.Level.WARNING.intValue()
            ? "WARN"
            : level >= java.util.logging.Level.INFO.intValue() ? "INFO" : "DEBUG";
  }

  /** The module's package below io.wayleave, else the logger's whole name. */
  private static String part(LogRecord record) {
    String name = record.getLoggerName() == null ? "" : record.getLoggerName();
    if (!name.startsWith("io.wayleave.")) {
      return name;
    }
    String rest = name.substring("io.wayleave.".length());
    int dot = rest.indexOf('.');
    return dot < 0 ? rest : rest.substring(0, dot);
  }

  private static String trace(Throwable thrown) {
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text, true));
    return text.toString();
  }
}

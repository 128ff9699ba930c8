package io.wayleave.ctl;

import io.wayleave.model.InvalidInputException;

/** In which form a result is printed. */
enum OutputFormat {
  TABLE,
  JSON,
  YAML;

  /**
   * @throws InvalidInputException naming the forms that exist
   */
  static OutputFormat parse(String name) {
    return switch (name) {
      case "table" -> TABLE;
      case "json" -> JSON;
      case "yaml" -> YAML;
      default -> throw new InvalidInputException("", name, "table, json or yaml");
    };
  }
}

/** A file as React Native's pickers name it; its FormData reads the bytes itself. */
export type NativeFile = {
  /** `file://…`, `content://…`, `ph://…`. */
  uri: string;
  name: string;
  /** Content type. The server looks at the bytes all the same. */
  type: string;
};

/** Browsers and Node give a Blob (a File keeps its name), React Native either. */
export type UploadFile = Blob | NativeFile;

const isNative = (file: UploadFile): file is NativeFile => "uri" in file;

/** Throws `TypeError` for a native file where FormData is not React Native's: it would send "[object Object]". */
export function appendFile(form: FormData, name: string, file: UploadFile): void {
  // React Native takes the object where the type of every other platform has a Blob alone.
  form.append(name, file as Blob);
  if (isNative(file) && typeof form.values === "function" && typeof [...form.values()].at(-1) === "string")
    throw new TypeError("Only React Native sends a file by its uri; give a Blob or a File here.");
}

/**
 * What a double gives of an answer that its forge describes: no field that the description does not have, none of another
 * type; null where the forge has nothing. Descriptions that allow any other field are taken for what they name.
 */
export type PartOf<T> = T extends readonly (infer Each)[]
  ? readonly PartOf<Each>[]
  : T extends object
    ? { [Name in keyof T as string extends Name ? never : Name]?: PartOf<T[Name]> | null }
    : T
